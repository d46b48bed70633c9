// add_scaled and sum_weighted with its epilogues, on the device as on the host.

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "equivalence/both.hpp"

namespace {

using both::Array;
using weir::bfloat16;
using weir::DeviceSpace;
using weir::half;
using weir::HostSpace;

template <class Element, class Real>
class Sums {
 public:
  Sums(weir::CudaExecutor const& device, weir::HostExecutor const& host, std::size_t most,
       std::size_t capacity)
      : device_(device),
        host_(host),
        out(device, capacity),
        residual(device, capacity),
        measurement_(device, {9, 9}),
        tail_(device, {9, 9}) {
    for (std::size_t term = 0; term < most; ++term) {
      inputs.push_back(std::make_unique<Array<Element>>(device, capacity));
    }
  }

  /// Lays out `count` terms; term t begins at `offset(t)`, and what is not one of them at `offset(count)`.
  template <class Offset>
  void lay(std::size_t count, std::size_t size, Offset const& offset, bool with_others) {
    for (std::size_t term = 0; term < count; ++term) {
      inputs[term]->lay(both::numbers<Element>(term + size, size, with_others), offset(term));
    }
    out.lay(both::numbers<Real>(1, size), offset(count));
    residual.lay(both::numbers<Real>(2, size), offset(count));
  }

  /// Sums in both memories; whether all is equal afterwards.
  bool equal(std::size_t count, bool measures = false, bool adds_residual = false, bool has_tail = false,
             double most = std::numeric_limits<double>::infinity()) {
    oracle::Numbers numbers(count);
    std::vector<weir::WeightedTerm<Element, DeviceSpace>> there;
    std::vector<weir::WeightedTerm<Element, HostSpace>> here;
    for (std::size_t term = 0; term < count; ++term) {
      double const weight = term == 1 ? 1.0 : numbers.number();
      there.push_back({inputs[term]->constant(), weight});
      here.push_back({std::as_const(*inputs[term]).host(), weight});
    }
    weir::Measurement measurement{9, 9};
    weir::TailStatistics tail{9, 9};
    sum_weighted(device_, std::span<weir::WeightedTerm<Element, DeviceSpace> const>(there), out.device(),
                 {.measurement = measures ? measurement_.get() : nullptr,
                  .residual = adds_residual ? residual.device().data() : nullptr,
                  .tail = has_tail ? tail_.get() : nullptr,
                  .clamp = {.most = most}});
    sum_weighted(host_, std::span<weir::WeightedTerm<Element, HostSpace> const>(here), out.host(),
                 {.measurement = measures ? &measurement : nullptr,
                  .residual = adds_residual ? residual.host().data() : nullptr,
                  .tail = has_tail ? &tail : nullptr,
                  .clamp = {.most = most}});
    host_.synchronize();
    bool equal = out.equal() && residual.equal();
    for (std::size_t term = 0; term < count; ++term) equal = equal && inputs[term]->equal();
    if (measures) {
      auto const value = measurement_.value();
      equal = equal && value.sum_of_squares == measurement.sum_of_squares &&
              value.non_finite == measurement.non_finite;
    }
    if (has_tail) {
      auto const value = tail_.value();
      equal = equal && value.non_finite == tail.non_finite && value.participants == tail.participants &&
              value.smallest == tail.smallest && value.largest == tail.largest && value.sum == tail.sum &&
              value.squared_deviations == tail.squared_deviations &&
              value.sum_of_logarithms == tail.sum_of_logarithms;
    }
    return equal;
  }

 private:
  weir::CudaExecutor device_;
  weir::HostExecutor host_;

 public:
  std::vector<std::unique_ptr<Array<Element>>> inputs;
  Array<Real> out;
  Array<Real> residual;

 private:
  both::Scalar<weir::Measurement> measurement_;
  both::Scalar<weir::TailStatistics> tail_;
};

template <class Element, class Real>
void check_offsets(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  Sums<Element, Real> sums(device, host, 12, 31 + 129 + 16);
  CHECK(both::failures([&](std::size_t offset, std::size_t length) {
          std::size_t const count = 1 + (offset + length) % 12;
          bool const is_even = length % 2 == 0;  // all terms at the same alignment
          sums.lay(
              count, length, [&](std::size_t term) { return is_even ? offset : (offset + 5 * term) % 32; },
              true);
          return sums.equal(count, length % 3 == 0, length % 5 == 0, length % 7 == 0);
        }) == "");
}

template <class Element, class Real>
void check_counts(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  std::size_t const size = case_size(150'007, 20'007);
  Sums<Element, Real> sums(device, host, 70, size + 32);
  for (std::size_t count : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u, 11u, 12u, 64u, 65u, 70u}) {
    for (std::size_t offset : {0u, 1u, 3u}) {
      CAPTURE(count);
      CAPTURE(offset);
      // 0: aligned. 1: aligned together, with a head. 3: not aligned together.
      auto const at = [&](std::size_t term) { return offset == 3 ? term % 8 : offset; };
      sums.lay(count, size, at, offset == 1);
      CHECK(sums.equal(count));
      sums.lay(count, size, at, offset == 1);
      CHECK(sums.equal(count, true));
      sums.lay(count, size, at, offset == 1);
      CHECK(sums.equal(count, true, true));
      sums.lay(count, size, at, offset == 1);
      CHECK(sums.equal(count, false, true));
      sums.lay(count, size, at, offset == 1);
      CHECK(sums.equal(count, count % 2 == 0, true, true));
      sums.lay(count, size, at, offset == 1);
      CHECK(sums.equal(count, count % 2 == 0, count % 3 == 0, false, 0.5));
    }
  }
}

template <class Element, class Real>
void check_large(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  for (std::size_t size : both::large_sizes()) {
    CAPTURE(size);
    Sums<Element, Real> sums(device, host, 4, size + 16);
    for (std::size_t count : {2u, 4u}) {
      sums.lay(
          count, size, [](std::size_t) { return std::size_t{0}; }, false);
      CHECK(sums.equal(count));
      sums.lay(
          count, size, [](std::size_t) { return std::size_t{0}; }, true);
      CHECK(sums.equal(count, true, true, true));
    }
  }
}

template <class Element, class Real>
void check_add_scaled(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  std::size_t const size = case_size(1'000'003, 20'003);
  Array<Element> in(device, size + 64);
  Array<Real> out(device, size + 64);
  Real const factor = Real(1) / 3;
  auto const equal = [&](std::size_t offset, std::size_t other_offset, std::size_t length) {
    in.lay(both::numbers<Element>(length, length, true), offset);
    out.lay(both::numbers<Real>(offset, length), other_offset);
    add_scaled(device, in.constant(), factor, out.device());
    add_scaled(host, in.host(), factor, out.host());
    host.synchronize();
    return in.equal() && out.equal();
  };
  CHECK(both::failures([&](std::size_t offset, std::size_t length) {
          return equal(offset, length % 2 == 0 ? offset : 31 - offset, length);
        }) == "");
  CHECK(equal(0, 0, size));
  CHECK(equal(1, 2, size));
}

template <class Element, class Real>
void check_all() {
  weir::CudaExecutor const device;
  weir::HostExecutor const host;
  check_offsets<Element, Real>(device, host);
  check_counts<Element, Real>(device, host);
  check_large<Element, Real>(device, host);
  check_add_scaled<Element, Real>(device, host);
}

}  // namespace

TEST_CASE("sums have the bits of the host's, with any number of terms, at any offset and length, with NaN") {
  SUBCASE("float") {
    check_all<float, float>();
  }
  SUBCASE("half") {
    check_all<half, float>();
  }
  SUBCASE("bfloat16") {
    check_all<bfloat16, float>();
  }
  SUBCASE("double") {
    check_all<double, double>();
  }
  SUBCASE("float in double") {
    check_all<float, double>();
  }
  SUBCASE("half in double") {
    check_all<half, double>();
  }
  SUBCASE("bfloat16 in double") {
    check_all<bfloat16, double>();
  }
}

TEST_CASE("the sum may be taken in any of its first 64 terms") {
  weir::CudaExecutor const device;
  std::size_t const size = 10'003;
  for (std::size_t count : {1u, 2u, 5u, 9u, 70u}) {
    for (std::size_t place : {std::size_t{0}, count / 2, count - 1}) {
      CAPTURE(count);
      CAPTURE(place);
      std::vector<weir::Buffer<float, weir::CudaExecutor>> inputs;
      std::vector<weir::WeightedTerm<float, DeviceSpace>> terms;
      oracle::Numbers numbers(count);
      for (std::size_t term = 0; term < count; ++term) {
        inputs.emplace_back(device, size);
        auto const values = numbers.vector<float>(size);
        weir::from_host(device, std::span<float const>(values), inputs.back().view());
        terms.push_back({inputs.back().view(), numbers.number()});
      }
      weir::Buffer<float, weir::CudaExecutor> const apart(device, size);
      std::span<weir::WeightedTerm<float, DeviceSpace> const> const span(terms);
      sum_weighted(device, span, apart.view());
      if (place >= 64) {
        CHECK_THROWS_AS(sum_weighted(device, span, inputs[place].view()), weir::ContractViolation);
        continue;
      }
      sum_weighted(device, span, inputs[place].view());
      CHECK(oracle::same(weir::to_host(device, inputs[place].view()), weir::to_host(device, apart.view())));
    }
  }
}
