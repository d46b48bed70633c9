#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/sum_weighted.cuh"
#include "weir/cuda/kernels/tail.cuh"
#include "weir/host/executor.hpp"

namespace {

using weir::HostSpace;
using weir::view;
using weir::detail::SquareTailLane;

static_assert(weir::detail::tail_width<8> == 4 && weir::detail::tail_width<2> == 2);

template <class Element, class Real>
void check_tail() {
  weir::HostExecutor const executor;
  for (std::size_t size : {0u, 1u, 130u, 4'097u, 30'001u}) {
    CAPTURE(size);
    oracle::Numbers numbers(size);
    auto a = numbers.vector<Element>(size);
    auto const b = numbers.vector<Element>(size);
    auto const residual = numbers.vector<Real>(size);
    for (std::size_t i = 7; i < size; i += 501) a[i] = Element(std::numeric_limits<float>::quiet_NaN());
    weir::WeightedTerm<Element, HostSpace> const terms[] = {{view(a), 0.3}, {view(b), -1.0}};
    std::vector<Real> expected(size);
    weir::TailStatistics tail, device_tail;
    weir::Measurement measurement, device_measurement;
    sum_weighted(executor, std::span<weir::WeightedTerm<Element, HostSpace> const>(terms), view(expected),
                 {.measurement = &measurement, .residual = residual.data(), .tail = &tail});
    executor.synchronize();

    auto const check = [&](weir::detail::SquareTailNode const& root, std::vector<Real> const& out) {
      weir::detail::StoreTail{&device_tail, &device_measurement}(root);
      CHECK(oracle::same(out, expected));
      CHECK(device_measurement.sum_of_squares == measurement.sum_of_squares);
      CHECK(device_measurement.non_finite == measurement.non_finite);
      CHECK(device_tail.non_finite == tail.non_finite);
      CHECK(device_tail.participants == tail.participants);
      CHECK(device_tail.smallest == tail.smallest);
      CHECK(device_tail.largest == tail.largest);
      CHECK(device_tail.sum == tail.sum);
      CHECK(device_tail.squared_deviations == tail.squared_deviations);
      CHECK(device_tail.sum_of_logarithms == tail.sum_of_logarithms);
    };
    std::vector<Real> out(size);
    weir::detail::DeviceLongSum<Element, Real> sum{};
    sum.out = out.data();
    sum.residual = residual.data();
    sum.count = 2;
    sum.terms[0] = a.data();
    sum.terms[1] = b.data();
    sum.weights[0] = static_cast<Real>(0.3);
    sum.weights[1] = -1;
    constexpr int width = weir::detail::tail_width<weir::detail::full_width<Element>>;
    for (unsigned blocks : {1u, 3u, 256u}) {
      check(play::leaves<width, SquareTailLane<Real>>(sum, size, blocks), out);
      out.assign(size, Real{5});
      check(play::leaves<1, SquareTailLane<Real>>(sum, size, blocks), out);
    }
  }
}

}  // namespace

TEST_CASE("tail statistics have the bits of the host's, in any number of blocks and at any alignment") {
  check_tail<float, float>();
  check_tail<weir::half, float>();
  check_tail<double, double>();
}
