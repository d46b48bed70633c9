#include "weir/host/kernels/tail.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "host/verb_oracle.hpp"
#include "weir/host/executor.hpp"

namespace {

using weir::HostSpace;
using weir::TailStatistics;
using weir::view;

bool same(TailStatistics const& one, TailStatistics const& other) {
  return one.non_finite == other.non_finite && one.participants == other.participants &&
         one.smallest == other.smallest && one.largest == other.largest && one.sum == other.sum &&
         one.squared_deviations == other.squared_deviations &&
         one.sum_of_logarithms == other.sum_of_logarithms;
}

template <class Element, class Real>
void check_epilogues(std::size_t size) {
  CAPTURE(size);
  oracle::Numbers numbers(size);
  auto a = numbers.vector<Element>(size);
  auto const b = numbers.vector<Element>(size);
  auto const residual = numbers.vector<Real>(size);
  if (size > 10) a[size / 2] = Element(std::numeric_limits<float>::infinity());
  weir::WeightedTerm<Element, HostSpace> const terms[] = {{view(a), 0.5}, {view(b), 1.0}};
  std::span<weir::WeightedTerm<Element, HostSpace> const> const span(terms);
  std::vector<Real> expected(size);
  for (std::size_t i = 0; i < size; ++i) {
    Real const sum = oracle::plus(oracle::times(Real(0.5), static_cast<Real>(a[i])), static_cast<Real>(b[i]));
    expected[i] = oracle::plus(sum, residual[i]);
  }
  std::vector<Real> only(size), out(size);
  TailStatistics of_one_thread;
  for (std::size_t threads : {1u, 2u, 5u}) {
    weir::HostExecutor const executor{{.threads = threads}};
    weir::Measurement measurement, reference;
    TailStatistics tail, without;
    sum_weighted(executor, span, view(only), {.residual = residual.data()});
    sum_weighted(executor, span, view(out),
                 {.measurement = &measurement, .residual = residual.data(), .tail = &tail});
    measure(executor, view(out), &reference);
    executor.synchronize();
    CHECK(oracle::same(only, expected));
    CHECK(oracle::same(out, expected));
    CHECK(measurement.sum_of_squares == reference.sum_of_squares);
    CHECK(measurement.non_finite == reference.non_finite);
    CHECK(tail.non_finite == reference.non_finite);
    if (threads == 1) of_one_thread = tail;
    CHECK(same(tail, of_one_thread));
    CHECK(tail.sum_of_squares() == doctest::Approx(measurement.sum_of_squares).epsilon(1e-12));
    sum_weighted(executor, span, view(out), {.residual = residual.data(), .tail = &without});
    executor.synchronize();
    CHECK(same(without, tail));
  }
  double sum = 0, logarithms = 0;
  for (Real value : expected) {
    if (!std::isfinite(value) || value == 0) continue;
    sum += std::abs(static_cast<double>(value));
    logarithms += std::log(std::abs(static_cast<double>(value)));
  }
  CHECK(of_one_thread.sum == doctest::Approx(sum).epsilon(1e-12));
  CHECK(of_one_thread.sum_of_logarithms == doctest::Approx(logarithms).epsilon(1e-11));
}

}  // namespace

TEST_CASE("a sum takes a residual and tells its tail in the same pass, the same with any number of threads") {
  for (std::size_t size : {0u, 1u, 300u, 9'001u, 400'003u}) {
    check_epilogues<float, float>(size);
    check_epilogues<weir::bfloat16, float>(size);
    check_epilogues<double, double>(size);
  }
}

TEST_CASE("the residual may be the memory that the sum goes to, but no part of it") {
  weir::HostExecutor const executor;
  std::vector<float> values{1, 2, 3}, memory{10, 20, 30, 40};
  weir::WeightedTerm<float, HostSpace> const terms[] = {{view(values), 2.0}};
  std::span<weir::WeightedTerm<float, HostSpace> const> const span(terms);
  sum_weighted(executor, span, view(memory.data(), 3), {.residual = memory.data()});
  executor.synchronize();
  CHECK(memory == std::vector<float>{12, 24, 36, 40});
  CHECK_THROWS_AS(sum_weighted(executor, span, view(memory.data(), 3), {.residual = memory.data() + 1}),
                  weir::ContractViolation);
}

TEST_CASE("serial sums in float would lose a quarter of this, the tree loses nothing") {
  std::size_t const size = (std::size_t{1} << 25) + 3;
  std::vector<float> const values(size, 0.3f);
  weir::HostExecutor const executor;
  std::vector<float> out(size);
  weir::WeightedTerm<float, HostSpace> const terms[] = {{view(values), 1.0}};
  TailStatistics tail;
  sum_weighted(executor, std::span<weir::WeightedTerm<float, HostSpace> const>(terms), view(out),
               {.tail = &tail});
  executor.synchronize();
  CHECK(tail.mean() == doctest::Approx(static_cast<double>(0.3f)).epsilon(1e-15));
  CHECK(tail.squared_deviations == doctest::Approx(0).epsilon(1e-12));
  CHECK(tail.smallest == tail.largest);
}
