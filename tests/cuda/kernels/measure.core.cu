#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/measure.cuh"
#include "weir/cuda/kernels/sum_weighted.cuh"
#include "weir/host/executor.hpp"

namespace {

using weir::detail::SquareLane;

template <class Element>
std::vector<Element> numbers_and_others(std::size_t size) {
  auto values = oracle::Numbers(9).vector<Element>(size);
  float const special[] = {std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::quiet_NaN(),
                           0.0f,
                           -0.0f,
                           1e-45f};
  for (std::size_t i = 5; i < size; i += 97) values[i] = Element(special[i % 6]);
  return values;
}

template <class Element>
void check_measure() {
  weir::HostExecutor const executor;
  using Read = weir::detail::DeviceRead<Element>;
  for (std::size_t size : {0u, 1u, 130u, 4097u, 70'001u}) {
    CAPTURE(size);
    auto const values = numbers_and_others<Element>(size);
    weir::Measurement host;
    measure(executor, weir::view(values), &host);
    executor.synchronize();
    for (unsigned blocks : {1u, 4u, 1024u}) {
      auto const wide = play::leaves<Read::width, SquareLane>(Read{values.data()}, size, blocks);
      auto const narrow = play::leaves<1, SquareLane>(Read{values.data()}, size, blocks);
      CHECK(wide.sum == host.sum_of_squares);
      CHECK(wide.non_finite == host.non_finite);
      CHECK(narrow.sum == host.sum_of_squares);
      CHECK(narrow.non_finite == host.non_finite);
    }
  }
}

}  // namespace

TEST_CASE("a measurement has the bits of the host's, in any number of blocks and at any alignment") {
  check_measure<float>();
  check_measure<double>();
  check_measure<weir::half>();
  check_measure<weir::bfloat16>();
}

TEST_CASE("a sum that is measured in the same pass is the sum, and its measurement that of the host") {
  weir::HostExecutor const executor;
  std::size_t const size = 70'001;
  auto const one = numbers_and_others<float>(size), other = oracle::Numbers(2).vector<float>(size);
  weir::WeightedTerm<float, weir::HostSpace> const terms[] = {{weir::view(one), 0.3},
                                                              {weir::view(other), 2.0}};
  std::vector<float> expected(size), out(size);
  weir::Measurement host;
  sum_weighted(executor, std::span<weir::WeightedTerm<float, weir::HostSpace> const>(terms),
               weir::view(expected), {.measurement = &host});
  executor.synchronize();
  weir::detail::DeviceSum<float, float, 2> const sum{
      out.data(), {one.data(), other.data()}, {static_cast<float>(0.3), 2.0f}};
  auto const measured = play::leaves<4, SquareLane>(sum, size, 1024);
  CHECK(oracle::same(out, expected));
  CHECK(measured.sum == host.sum_of_squares);
  CHECK(measured.non_finite == host.non_finite);
}
