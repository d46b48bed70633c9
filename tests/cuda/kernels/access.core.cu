#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/access.cuh"

namespace {

using weir::bfloat16;
using weir::half;
using weir::detail::float_of;
using weir::detail::Pack;

static_assert(sizeof(Pack<half, 8>) == 16 && alignof(Pack<half, 8>) == 16);
static_assert(sizeof(Pack<double, 8>) == 64 && alignof(Pack<double, 8>) == 16);
static_assert(sizeof(Pack<half, 4>) == 8 && alignof(Pack<half, 4>) == 8 && alignof(Pack<half, 1>) == 2);
static_assert(weir::detail::full_width<bfloat16> == 8 && weir::detail::full_width<double> == 2);
static_assert(std::is_trivially_copyable_v<Pack<half, 8>>);

template <class To, class From>
void check_same(From from) {
  To const expected = weir::detail::convert<To>(from);
  To const converted = weir::detail::same_bits<To>(from);
  if (oracle::bits_of(converted) == oracle::bits_of(expected)) return;
  FAIL(oracle::bits_of(from) << " became " << oracle::bits_of(converted) << " and not "
                             << oracle::bits_of(expected));
}

template <class Sixteen>
void check_sixteen_bits() {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    Sixteen const value = Sixteen::from_bits(static_cast<std::uint16_t>(bits));
    check_same<float>(value);
    check_same<double>(value);
    check_same<half>(value);
    check_same<bfloat16>(value);
    float const exact = value;
    CHECK(oracle::same(weir::detail::as_real<float>(value), exact));
    CHECK(oracle::same(weir::detail::as_real<double>(value), static_cast<double>(exact)));
    for (float near : {exact, std::nextafter(exact, 1e30f), std::nextafter(exact, -1e30f)}) {
      check_same<half>(near);
      check_same<bfloat16>(near);
      check_same<double>(near);
      check_same<half>(static_cast<double>(near) * (1 + 0x1p-40));
      check_same<bfloat16>(static_cast<double>(near) * (1 - 0x1p-40));
      check_same<float>(static_cast<double>(near) * (1 + 0x1p-24));
    }
  }
}

}  // namespace

TEST_CASE("elements are converted with the bits that the host's verbs give them, also NaN") {
  check_sixteen_bits<half>();
  check_sixteen_bits<bfloat16>();
  for (std::uint32_t bits : {0x7f80'0001u, 0x7fa5'5a5au, 0xffc0'1234u, 0xffff'ffffu, 0x7f80'0000u}) {
    check_same<double>(float_of(bits));
    check_same<half>(float_of(bits));
    check_same<bfloat16>(float_of(bits));
  }
  for (std::uint64_t bits : {0x7ff0'0000'0000'0001u, 0x7ff4'5a5a'a5a5'1234u, 0xfff8'1234'5678'9abcu}) {
    check_same<float>(__builtin_bit_cast(double, bits));
    check_same<half>(__builtin_bit_cast(double, bits));
    check_same<bfloat16>(__builtin_bit_cast(double, bits));
  }
}

TEST_CASE("a pack is read and written whole, and nothing beside it") {
  alignas(16) float from[12], to[12] = {};
  for (int i = 0; i < 12; ++i) from[i] = static_cast<float>(i + 1);
  Pack<float, 4> pack;
  weir::detail::load_once(from + 4, pack);
  weir::detail::store(pack, to + 4);
  for (int i = 0; i < 12; ++i) CHECK(to[i] == (i >= 4 && i < 8 ? from[i] : 0.0f));
}
