#pragma once

#include <cstdint>
#include <type_traits>

#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/leaf_tree.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {
namespace detail {

inline constexpr double ln_2 = 0x1.62e42fefa39efp-1;

/// `TailStatistics` on their way up the tree of exec/leaf_tree.hpp.
struct TailNode {
  std::uint64_t non_finite;
  std::uint64_t participants;
  double smallest;
  double largest;
  double sum;
  double squared_deviations;
  double sum_of_logarithms;

  /// Of the deviations as Chan, Golub and LeVeque do it.
  WEIR_HOST_DEVICE void merge(TailNode const& right) {
    std::uint64_t const all_non_finite = non_finite + right.non_finite;
    if (participants == 0) {
      *this = right;
    } else if (right.participants != 0) {
      double const count = static_cast<double>(participants);
      double const right_count = static_cast<double>(right.participants);
      double const apart = right.sum / right_count - sum / count;
      double const weight = rounded_product(count, right_count) / (count + right_count);
      squared_deviations += right.squared_deviations;
      squared_deviations += rounded_product(rounded_product(apart, apart), weight);
      sum += right.sum;
      sum_of_logarithms += right.sum_of_logarithms;
      smallest = right.smallest < smallest ? right.smallest : smallest;
      largest = right.largest > largest ? right.largest : largest;
      participants += right.participants;
    }
    non_finite = all_non_finite;
  }

  WEIR_HOST_DEVICE TailStatistics statistics() const {
    return {non_finite, participants, smallest, largest, sum, squared_deviations, sum_of_logarithms};
  }
};

/// What one lane of a leaf knows of its at most 64 elements.
///
/// Deviations are taken from the first participant. It is one of them, so what cancels in the end is at most
/// 64 times what is left. The logarithms are those of the product, kept as 2^exponent times a mantissa below
/// 2: one logarithm a lane, and its error is that of 64 multiplications.
template <class Real>
struct TailLane {
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  static constexpr Bits infinity = __builtin_bit_cast(Bits, static_cast<Real>(detail::infinity));

  double pivot = 0.0;
  double sum = 0.0;      // of x - pivot
  double squares = 0.0;  // of (x - pivot)^2
  double mantissa = 1.0;
  std::int32_t exponent = 0;
  std::uint32_t participants = 0;
  std::uint32_t non_finite = 0;
  Bits smallest = infinity;  // bits of magnitudes, which are ordered like them
  Bits largest = 0;

  /// Everything is computed for every element, so that the threads of a warp stay together.
  WEIR_HOST_DEVICE void add(Real value) {
    Bits const magnitude = __builtin_bit_cast(Bits, value) & static_cast<Bits>(~Bits{0} >> 1);
    bool const is_finite = magnitude < infinity;
    bool const takes_part = is_finite && magnitude != 0;
    non_finite += is_finite ? 0 : 1;

    double const x = takes_part ? static_cast<double>(__builtin_bit_cast(Real, magnitude)) : pivot;
    pivot = participants == 0 ? x : pivot;
    participants += takes_part ? 1 : 0;
    double const deviation = x - pivot;
    sum += deviation;
    squares += rounded_product(deviation, deviation);
    smallest = takes_part && magnitude < smallest ? magnitude : smallest;
    largest = takes_part && magnitude > largest ? magnitude : largest;
    multiply(takes_part ? x : 1.0);
  }

  WEIR_HOST_DEVICE TailNode node() const {
    if (participants == 0) return {non_finite, 0, 0.0, 0.0, 0.0, 0.0, 0.0};
    double const count = participants;
    double const deviations = squares - rounded_product(sum, sum) / count;
    return {non_finite,
            participants,
            static_cast<double>(__builtin_bit_cast(Real, smallest)),
            static_cast<double>(__builtin_bit_cast(Real, largest)),
            rounded_product(count, pivot) + sum,
            deviations > 0.0 ? deviations : 0.0,
            rounded_product(static_cast<double>(exponent), ln_2) + ln(mantissa)};
  }

 private:
  WEIR_HOST_DEVICE void multiply(double x) {
    constexpr std::uint64_t mantissa_bits = (std::uint64_t{1} << 52) - 1;
    constexpr std::uint64_t one = std::uint64_t{1023} << 52;
    if constexpr (sizeof(Real) == 8) {  // a double may be subnormal
      bool const is_subnormal = x < smallest_normal_double;
      exponent -= is_subnormal ? 54 : 0;
      x = is_subnormal ? x * 0x1p54 : x;
    }
    std::uint64_t const bits = __builtin_bit_cast(std::uint64_t, x);
    exponent += static_cast<std::int32_t>(bits >> 52) - 1023;
    double const product =
        rounded_product(mantissa, __builtin_bit_cast(double, (bits & mantissa_bits) | one));
    bool const is_large = product >= 2.0;
    exponent += is_large ? 1 : 0;
    mantissa = is_large ? 0.5 * product : product;
  }
};

/// A `Measurement` and `TailStatistics` in one pass.
struct SquareTailNode {
  SquareSum squares;
  TailNode tail;

  WEIR_HOST_DEVICE void merge(SquareTailNode const& right) {
    squares.merge(right.squares);
    tail.merge(right.tail);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
