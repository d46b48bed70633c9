#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/sum_weighted.cuh"

namespace {

using weir::bfloat16;
using weir::half;
using weir::detail::DeviceLongSum;
using weir::detail::DeviceSum;
using weir::detail::Partition;

template <class Element, class Real>
struct Case {
  Case(std::size_t count, std::size_t size) : numbers(count), residual(numbers.vector<Real>(size)) {
    for (std::size_t term = 0; term < count; ++term) {
      inputs.push_back(numbers.vector<Element>(size));
      weights.push_back(static_cast<Real>(term == 1 ? 1.0 : numbers.number()));
    }
  }

  /// `start` plus the terms, or the terms; clamped; then, maybe, the residual.
  std::vector<Real> expected(std::vector<Real> const* start, bool adds_residual,
                             Real most = std::numeric_limits<Real>::infinity()) const {
    std::vector<Real> sums = start != nullptr ? *start : std::vector<Real>(residual.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      for (std::size_t term = 0; term < inputs.size(); ++term) {
        Real const product = oracle::times(weights[term], static_cast<Real>(inputs[term][i]));
        sums[i] = term == 0 && start == nullptr ? product : oracle::plus(sums[i], product);
      }
      if (std::isfinite(sums[i]) && std::abs(sums[i]) > most) sums[i] = std::copysign(most, sums[i]);
      if (adds_residual) sums[i] = oracle::plus(sums[i], residual[i]);
    }
    return sums;
  }

  template <class Sum>
  Sum sum(Real* out) const {
    Sum sum{};
    sum.out = out;
    for (std::size_t term = 0; term < inputs.size(); ++term) {
      sum.terms[term] = inputs[term].data();
      sum.weights[term] = weights[term];
    }
    return sum;
  }

  oracle::Numbers numbers;
  std::vector<Real> residual;
  std::vector<std::vector<Element>> inputs;
  std::vector<Real> weights;
};

template <class Element, class Real, int Count>
void check_unrolled() {
  for (std::size_t size : {1u, 129u, 5003u}) {
    Case<Element, Real> const sums(Count, size);
    using Sum = DeviceSum<Element, Real, Count>;
    std::vector<Real> out(size, Real{77});
    play::tiles<Sum::width>(sums.template sum<Sum>(out.data()), Partition::of(size, Sum::width, size % 2));
    CHECK(oracle::same(out, sums.expected(nullptr, false)));
  }
}

template <class Element, class Real>
void check_added() {
  std::size_t const size = 5003;
  Case<Element, Real> const sums(1, size);
  using Sum = DeviceSum<Element, Real, 1, true>;
  std::vector<Real> out = sums.residual;
  play::tiles<Sum::width>(sums.template sum<Sum>(out.data()), Partition::of(size, Sum::width, 1));
  CHECK(oracle::same(out, sums.expected(&sums.residual, false)));
}

weir::GradientControl const half_control{0.5, 0};

template <class Element, class Real>
void check_long() {
  using Sum = DeviceLongSum<Element, Real>;
  for (std::size_t count : {1u, 4u, 5u, 8u, 12u, 64u}) {
    for (std::size_t size : {1u, 129u, 3001u}) {
      for (bool adds : {false, true}) {
        for (bool adds_residual : {false, true}) {
          Case<Element, Real> sums(count, size);
          auto const start = sums.numbers.template vector<Real>(size);
          if (size > 100) {
            sums.inputs[0][7] = Element(std::numeric_limits<float>::quiet_NaN());
            sums.inputs[0][100] = Element(-std::numeric_limits<float>::infinity());
          }
          Real const most = count % 2 == 0 ? Real(0.5) : std::numeric_limits<Real>::infinity();
          std::vector<Real> wide = start, narrow = start;
          for (auto* out : {&wide, &narrow}) {
            Sum sum = sums.template sum<Sum>(out->data());
            sum.count = static_cast<int>(count);
            sum.adds = adds;
            sum.residual = adds_residual ? sums.residual.data() : nullptr;
            if (count % 2 == 0) sum.clamp = {.most = 0.25, .scale = {-1.0, &half_control}};
            if (out == &wide) {
              play::tiles<Sum::width>(sum, Partition::of(size, Sum::width, size % Sum::width));
            } else {
              play::tiles<1>(sum, Partition::of(size, 1, 0));
            }
          }
          auto const expected = sums.expected(adds ? &start : nullptr, adds_residual, most);
          CHECK(oracle::same(wide, expected));
          CHECK(oracle::same(narrow, expected));
        }
      }
    }
  }
}

template <class Element, class Real>
void check_all() {
  check_unrolled<Element, Real, 1>();
  check_unrolled<Element, Real, 2>();
  check_unrolled<Element, Real, 3>();
  check_unrolled<Element, Real, 5>();
  check_unrolled<Element, Real, 8>();
  check_added<Element, Real>();
  check_long<Element, Real>();
}

}  // namespace

TEST_CASE(
    "sums have the bits of a plain loop, with any number of terms and in any of their forms, clamped or "
    "not") {
  check_all<float, float>();
  check_all<half, float>();
  check_all<bfloat16, float>();
  check_all<double, double>();
  check_long<float, double>();
  check_long<half, double>();
}

TEST_CASE("the sum may be taken in any of its terms") {
  std::size_t const size = 3001, count = 5;
  for (std::size_t place = 0; place < count; ++place) {
    Case<float, float> sums(count, size);
    auto const expected = sums.expected(nullptr, false);
    using Sum = DeviceSum<float, float, 5>;
    play::tiles<4>(sums.sum<Sum>(sums.inputs[place].data()), Partition::of(size, 4, 3));
    CHECK(oracle::same(sums.inputs[place], expected));
  }
}
