#include "weir/core/half.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

/// A 16-bit format, taken literally: sign, exponent, fraction.
struct Format {
  int fraction_bits;
  int bias;
  int infinite_exponent;

  double value(std::uint32_t bits) const {
    std::uint32_t const fraction = bits & ((1u << fraction_bits) - 1);
    int const exponent = static_cast<int>((bits & 0x7fffu) >> fraction_bits);
    double const sign = (bits & 0x8000u) != 0 ? -1 : 1;
    if (exponent == infinite_exponent) {
      return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::quiet_NaN();
    }
    double const leading = exponent == 0 ? 0 : 1;
    double const significand = leading + std::ldexp(static_cast<double>(fraction), -fraction_bits);
    return sign * std::ldexp(significand, (exponent == 0 ? 1 : exponent) - bias);
  }
  std::uint32_t infinity() const { return static_cast<std::uint32_t>(infinite_exponent) << fraction_bits; }
};

constexpr Format binary16{10, 15, 31};
constexpr Format brain16{7, 127, 255};

template <class Sixteen>
void check_every_value(Format format) {
  for (std::uint32_t bits = 0; bits < 0x1'0000; ++bits) {
    Sixteen const stored = Sixteen::from_bits(static_cast<std::uint16_t>(bits));
    double const expected = format.value(bits);
    float const widened = stored;
    if (std::isnan(expected)) {
      REQUIRE(std::isnan(widened));
      std::uint32_t const quiet = 1u << (format.fraction_bits - 1);
      REQUIRE(Sixteen{widened}.bits() == (bits | quiet));
    } else {
      REQUIRE(std::bit_cast<std::uint64_t>(static_cast<double>(widened)) ==
              std::bit_cast<std::uint64_t>(expected));
      REQUIRE(Sixteen{widened}.bits() == bits);
    }
  }
}

/// Between every two neighbours: the tie goes to the even one, what is beside the tie to the nearer one.
template <class Sixteen>
void check_every_tie(Format format) {
  for (std::uint32_t lower = 0; lower < format.infinity(); ++lower) {
    std::uint32_t const upper = lower + 1;
    double const top = upper == format.infinity()
                           ? 2 * format.value(lower) - format.value(lower - 1)  // as if the format went on
                           : format.value(upper);
    double const middle = (format.value(lower) + top) / 2;
    float const tie = static_cast<float>(middle);
    REQUIRE(static_cast<double>(tie) == middle);
    std::uint32_t const even = lower % 2 == 0 ? lower : upper;
    REQUIRE(Sixteen{tie}.bits() == even);
    REQUIRE(Sixteen{std::nextafter(tie, 0.0f)}.bits() == lower);
    REQUIRE(Sixteen{std::nextafter(tie, std::numeric_limits<float>::infinity())}.bits() == upper);
    REQUIRE(Sixteen{-tie}.bits() == (even | 0x8000u));
  }
}

/// The nearest representable value, found without looking at the bits of the float.
std::uint32_t nearest(Format format, double magnitude) {
  std::uint32_t low = 0;
  std::uint32_t high = format.infinity();
  while (high - low > 1) {
    std::uint32_t const middle = (low + high) / 2;
    (format.value(middle) <= magnitude ? low : high) = middle;
  }
  double const top =
      high == format.infinity() ? 2 * format.value(low) - format.value(low - 1) : format.value(high);
  double const to_low = magnitude - format.value(low);
  double const to_high = top - magnitude;
  if (to_low == to_high) return low % 2 == 0 ? low : high;
  return to_low < to_high ? low : high;
}

template <class Sixteen>
void check_floats_of_all_sizes(Format format) {
  for (std::uint64_t bits = 0; bits < 0x7f80'0000; bits += 104'729) {
    float const value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    REQUIRE(Sixteen{value}.bits() == nearest(format, static_cast<double>(value)));
  }
}

template <class Sixteen>
void check_special_values(Format format) {
  float const infinity = std::numeric_limits<float>::infinity();
  CHECK(Sixteen{infinity}.bits() == format.infinity());
  CHECK(Sixteen{-infinity}.bits() == (format.infinity() | 0x8000u));
  CHECK(Sixteen{std::numeric_limits<float>::max()}.bits() == format.infinity());
  CHECK(Sixteen{0.0f}.bits() == 0);
  CHECK(Sixteen{-0.0f}.bits() == 0x8000);
  for (std::uint32_t payload = 1; payload < 0x80'0000; payload += 4'001) {
    for (std::uint32_t sign : {0u, 0x8000'0000u}) {
      Sixteen const stored{std::bit_cast<float>(sign | 0x7f80'0000u | payload)};
      REQUIRE((stored.bits() & 0x7fffu) > format.infinity());
      REQUIRE((stored.bits() & (1u << (format.fraction_bits - 1))) != 0);
      REQUIRE((stored.bits() >> 15) == (sign >> 31));
    }
  }
}

template <class Sixteen>
void check_loops() {
  std::vector<float> values;
  for (std::uint32_t bits = 0; bits < 0xffff'0000u; bits += 65'521)
    values.push_back(std::bit_cast<float>(bits));
  std::vector<Sixteen> stored(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) stored[i] = Sixteen{values[i]};
  for (std::size_t i = 0; i < values.size(); ++i) {
    float volatile alone = values[i];
    REQUIRE(stored[i].bits() == Sixteen{alone}.bits());
  }
}

template <class Sixteen>
constexpr bool is_storage =
    sizeof(Sixteen) == 2 && std::is_trivial_v<Sixteen>&& std::is_standard_layout_v<Sixteen>;

static_assert(is_storage<weir::half> && is_storage<weir::bfloat16>);
static_assert(!std::is_convertible_v<float, weir::half> && !std::is_convertible_v<float, weir::bfloat16>);
static_assert(std::is_convertible_v<weir::half, float> && std::is_convertible_v<weir::bfloat16, float>);
static_assert(weir::half{1.0f}.bits() == 0x3c00 && weir::bfloat16{1.0f}.bits() == 0x3f80);
static_assert(weir::half{65519.0f} == 65504.0f && weir::half{0x1p-24f}.bits() == 1);

}  // namespace

TEST_CASE("every half goes to the float of the same value and back") {
  check_every_value<weir::half>(binary16);
}
TEST_CASE("every bfloat16 goes to the float of the same value and back") {
  check_every_value<weir::bfloat16>(brain16);
}

TEST_CASE("a float between two halves goes to the nearer one, a tie to the even one") {
  check_every_tie<weir::half>(binary16);
}
TEST_CASE("a float between two bfloat16 goes to the nearer one, a tie to the even one") {
  check_every_tie<weir::bfloat16>(brain16);
}

TEST_CASE("floats of all sizes are rounded as the definition of the formats says") {
  check_floats_of_all_sizes<weir::half>(binary16);
  check_floats_of_all_sizes<weir::bfloat16>(brain16);
}

TEST_CASE("infinities stay, what is too large becomes one, and every NaN stays a quiet one with its sign") {
  check_special_values<weir::half>(binary16);
  check_special_values<weir::bfloat16>(brain16);
}

TEST_CASE("a loop converts as a single conversion does") {
  check_loops<weir::half>();
  check_loops<weir::bfloat16>();
}

TEST_CASE("sixteen-bit numbers compare as numbers") {
  CHECK(weir::half{0.0f} == weir::half{-0.0f});
  CHECK(weir::half{1.0f} < weir::half{2.0f});
  weir::half const nan{std::numeric_limits<float>::quiet_NaN()};
  CHECK_FALSE(nan == nan);
}

TEST_CASE("adding in bfloat16 stalls where adding in float does not") {
  weir::bfloat16 stored{0.0f};
  float sum = 0;
  for (int i = 0; i < 1'000; ++i) {
    stored = weir::bfloat16{stored + 1e-3f};
    sum += 1e-3f;
  }
  CHECK(stored == 0.5f);
  CHECK(sum == doctest::Approx(1.0).epsilon(1e-4));
}
