#include "weir/host/load_store.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "each_width.hpp"
#include "verb_oracle.hpp"
#include "weir/host/kernels/convert.hpp"

namespace {

using weir::bfloat16;
using weir::half;

template <class From, class To>
void check_conversion(std::vector<From> const& from) {
  std::vector<To> to;
  using Kernel = weir::detail::Elementwise<weir::detail::Convert<From, To>>;
  with_each_width(
      0, from.size(),
      [&] {
        to.assign(from.size(), To(77.0f));
        return Kernel{{from.data(), to.data()}};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (std::size_t i = 0; i < from.size(); ++i) {
          To const expected = weir::detail::convert<To>(from[i]);
          // With its bits: also what is left of a NaN is the same as in core/half.hpp.
          if (oracle::bits_of(to[i]) == oracle::bits_of(expected)) continue;
          FAIL("element " << i << ": " << oracle::bits_of(from[i]) << " became " << oracle::bits_of(to[i]));
        }
      });
}

template <class Sixteen>
std::vector<Sixteen> all_sixteen_bits() {
  std::vector<Sixteen> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = Sixteen::from_bits(static_cast<std::uint16_t>(i));
  return all;
}

/// Each 16-bit value's neighbourhood in float: itself, the middle to the next one, and a bit to both sides.
template <class Sixteen>
std::vector<float> floats_around() {
  std::vector<float> floats;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    auto const one = weir::detail::bits_of(Sixteen::from_bits(static_cast<std::uint16_t>(i)));
    auto const next = weir::detail::bits_of(Sixteen::from_bits(static_cast<std::uint16_t>(i + 1)));
    std::uint32_t const middle = one + (next - one) / 2;
    for (std::uint32_t bits : {one, one + 1, one - 1, middle, middle + 1, middle - 1}) {
      floats.push_back(weir::detail::float_of(bits));
    }
  }
  return floats;
}

}  // namespace

TEST_CASE("lanes convert from and to 16 bits exactly as core/half.hpp does") {
  check_conversion<half, float>(all_sixteen_bits<half>());
  check_conversion<bfloat16, float>(all_sixteen_bits<bfloat16>());
  check_conversion<float, half>(floats_around<half>());
  check_conversion<float, bfloat16>(floats_around<bfloat16>());
  check_conversion<half, bfloat16>(all_sixteen_bits<half>());
  check_conversion<half, double>(all_sixteen_bits<half>());
}

TEST_CASE("from double to 16 bits a number is rounded once") {
  // The nearest of the 16-bit values, by their distance, which double holds exactly.
  auto const halves = all_sixteen_bits<half>();
  for (std::uint32_t bits = 0; bits < 0x7bff; bits += 7) {
    double const one = halves[bits], next = halves[bits + 1];
    double const middle = one + (next - one) / 2;
    CHECK(weir::detail::convert<half>(std::nextafter(middle, 0.0)).bits() == bits);
    CHECK(weir::detail::convert<half>(middle).bits() == bits + bits % 2);
    CHECK(weir::detail::convert<half>(std::nextafter(middle, 1e9)).bits() == bits + 1);
    CHECK(weir::detail::convert<half>(-std::nextafter(middle, 1e9)).bits() == (0x8000 | (bits + 1)));
  }
  CHECK(std::isnan(static_cast<float>(weir::detail::convert<bfloat16>(std::nan("")))));
  CHECK(static_cast<float>(weir::detail::convert<bfloat16>(1e300)) == HUGE_VALF);
  CHECK(weir::detail::convert<bfloat16>(-1e-300).bits() == 0x8000);
}
