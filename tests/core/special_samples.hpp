#pragma once

// No header of the library here: a test includes them under other compiler settings.

#include <bit>
#include <cstddef>
#include <cstdint>

namespace samples {

/// Numbers that look random and are the same everywhere (SplitMix64).
class Bits {
 public:
  explicit Bits(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// A hash of the bits of function(argument) over `count` arguments that `draw(bits)` makes.
template <class Function, class Draw>
std::uint64_t hash(Function function, Draw draw, std::size_t count = 200'000) {
  Bits bits{2024};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double const volatile argument = draw(bits);  // nothing is computed by the compiler
    sum = (std::rotl(sum, 5) ^ std::bit_cast<std::uint64_t>(static_cast<double>(function(argument)))) *
          0x9fb2'1c65'1e98'df25;
  }
  return sum;
}

// Factors are powers of two, so that the arguments do not depend on the compiler either.
inline double any_positive(Bits& bits) {
  return std::bit_cast<double>(bits.next() % 0x7ff0'0000'0000'0000);
}
inline double around_one(Bits& bits) {
  return 0.5 + 2 * bits.uniform();
}
inline double any_exponent(Bits& bits) {
  return -1'024 + 2'048 * bits.uniform();
}
inline double around_zero(Bits& bits) {
  return -2 + 4 * bits.uniform();
}
inline double probability(Bits& bits) {
  return bits.uniform();
}

// What the functions give on every machine, compiler and setting.
inline constexpr std::uint64_t ln_any_positive = 16375819532922735339u;
inline constexpr std::uint64_t ln_around_one = 2395120151397687750u;
inline constexpr std::uint64_t exp_any_exponent = 10081235361861047088u;
inline constexpr std::uint64_t exp_around_zero = 622786905856364593u;
inline constexpr std::uint64_t expm1_any_exponent = 1221611353306078969u;
inline constexpr std::uint64_t expm1_around_zero = 5640949346664767269u;
inline constexpr std::uint64_t normal_quantile = 5117279064859442702u;
inline constexpr std::uint64_t random_normal = 9734859103027793508u;

}  // namespace samples
