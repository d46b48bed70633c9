// fill, set_zero, clear_if, copy and measure, on the device as on the host.

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "equivalence/both.hpp"

namespace {

using both::Array;
using weir::bfloat16;
using weir::half;

constexpr std::size_t small = 31 + 129 + 16;

template <class Element>
void check_fill(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  Array<Element> filled(device, small), zero(device, small), cleared(device, small), kept(device, small);
  both::Scalar<std::uint64_t> const yes(device, 3), no(device, 0);
  std::uint64_t const host_yes = 3;
  CHECK(both::failures([&](std::size_t offset, std::size_t length) {
          auto const values = both::numbers<Element>(length, length);
          for (auto* array : {&filled, &zero, &cleared, &kept}) array->lay(values, offset);
          fill(device, filled.device(), Element(-1.5f));
          fill(host, filled.host(), Element(-1.5f));
          set_zero(device, zero.device());
          set_zero(host, zero.host());
          clear_if(device, cleared.device(), yes.get());
          clear_if(host, cleared.host(), &host_yes);
          clear_if(device, kept.device(), no.get());
          host.synchronize();
          return filled.equal() && zero.equal() && cleared.equal() && kept.equal();
        }) == "");
}

template <class From, class To>
void check_copy(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  Array<From> from(device, small);
  Array<To> to(device, small);
  CHECK(both::failures([&](std::size_t offset, std::size_t length) {
          from.lay(both::numbers<From>(offset + length, length, true), offset);
          to.lay(both::numbers<To>(1, length), length % 2 == 0 ? offset : 31 - offset);
          copy(device, from.constant(), to.device());
          copy(host, from.host(), to.host());
          host.synchronize();
          return from.equal(true) && to.equal(true);
        }) == "");
  for (std::size_t size : both::large_sizes()) {
    CAPTURE(size);
    Array<From> many(device, size + 20);
    Array<To> out(device, size + 20);
    many.lay(both::numbers<From>(size, size, true), 3);
    out.lay(std::vector<To>(size), 3);
    copy(device, many.constant(), out.device());
    copy(host, many.host(), out.host());
    host.synchronize();
    CHECK(out.equal(true));
  }
}

/// Every 16-bit number, and floats and doubles near it.
template <class Sixteen>
void check_all_numbers(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  std::vector<Sixteen> all(65536);
  std::vector<float> near;
  std::vector<double> nearer;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    all[i] = Sixteen::from_bits(static_cast<std::uint16_t>(i));
    auto const bits = weir::detail::bits_of(static_cast<float>(all[i]));
    for (std::uint32_t other :
         {bits, bits + 1, bits - 1, bits + 0xfffu, bits + 0x1000u, bits + 0x7fffu, bits + 0x8000u}) {
      near.push_back(weir::detail::float_of(other));
      nearer.push_back(static_cast<double>(near.back()) * (1 + 0x1p-30));
    }
  }
  auto const check = [&](auto const& from, auto example) {
    using From = typename std::remove_cvref_t<decltype(from)>::value_type;
    using To = decltype(example);
    Array<From> in(device, from.size() + 16);
    Array<To> out(device, from.size() + 16);
    in.lay(from, 0);
    out.lay(std::vector<To>(from.size()), 0);
    copy(device, in.constant(), out.device());
    copy(host, in.host(), out.host());
    host.synchronize();
    CHECK(out.equal(true));
  };
  check(all, float{});
  check(all, double{});
  check(near, Sixteen{});
  check(nearer, Sixteen{});
  check(nearer, float{});
}

template <class Element>
void check_measure(weir::CudaExecutor const& device, weir::HostExecutor const& host) {
  both::Scalar<weir::Measurement> const there(device, {7, 7});
  auto const equal = [&](Array<Element> const& array) {
    weir::Measurement here{8, 8};
    measure(device, array.constant(), there.get());
    measure(host, array.host(), &here);
    host.synchronize();
    auto const result = there.value();
    return oracle::bits_of(result.sum_of_squares) == oracle::bits_of(here.sum_of_squares) &&
           result.non_finite == here.non_finite;
  };
  Array<Element> array(device, small);
  CHECK(both::failures([&](std::size_t offset, std::size_t length) {
          array.lay(both::numbers<Element>(offset + length, length, true), offset);
          return equal(array);
        }) == "");
  for (std::size_t size : both::large_sizes()) {
    for (std::size_t offset : {0u, 1u, 8u}) {
      CAPTURE(size);
      CAPTURE(offset);
      Array<Element> many(device, size + 32);
      many.lay(both::numbers<Element>(size, size, true), offset);
      CHECK(equal(many));
    }
  }
}

}  // namespace

TEST_CASE("elements are filled and cleared at any offset and length, and nothing beside them") {
  weir::CudaExecutor const device;
  weir::HostExecutor const host;
  check_fill<float>(device, host);
  check_fill<double>(device, host);
  check_fill<half>(device, host);
  check_fill<bfloat16>(device, host);
}

TEST_CASE("elements are converted as on the host, with the bits of NaN") {
  weir::CudaExecutor const device;
  weir::HostExecutor const host;
  SUBCASE("to float") {
    check_copy<float, float>(device, host);
    check_copy<double, float>(device, host);
    check_copy<half, float>(device, host);
    check_copy<bfloat16, float>(device, host);
  }
  SUBCASE("to double") {
    check_copy<double, double>(device, host);
    check_copy<float, double>(device, host);
    check_copy<half, double>(device, host);
    check_copy<bfloat16, double>(device, host);
  }
  SUBCASE("to 16 bits") {
    check_copy<half, half>(device, host);
    check_copy<float, half>(device, host);
    check_copy<double, half>(device, host);
    check_copy<bfloat16, half>(device, host);
    check_copy<bfloat16, bfloat16>(device, host);
    check_copy<float, bfloat16>(device, host);
    check_copy<double, bfloat16>(device, host);
    check_copy<half, bfloat16>(device, host);
  }
  SUBCASE("all numbers") {
    check_all_numbers<half>(device, host);
    check_all_numbers<bfloat16>(device, host);
  }
}

TEST_CASE("a measurement has the bits of the host's, at any offset and length") {
  weir::CudaExecutor const device;
  weir::HostExecutor const host;
  check_measure<float>(device, host);
  check_measure<double>(device, host);
  check_measure<half>(device, host);
  check_measure<bfloat16>(device, host);
}
