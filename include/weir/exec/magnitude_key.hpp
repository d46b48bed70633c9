#pragma once

#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/core/special.hpp"

namespace weir::inline v1 {

/// Magnitudes as unsigned integers: the bits without the sign, which are ordered like the magnitudes. They
/// fall into bins whose edges depend on nothing but the type: each level splits a bin of the level before.
template <class Real>
struct MagnitudeKey {
  static_assert(std::is_same_v<Real, float> || std::is_same_v<Real, double>);
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;

  static constexpr Bits infinity = __builtin_bit_cast(Bits, static_cast<Real>(detail::infinity));
  static constexpr unsigned levels = sizeof(Real) == 4 ? 3 : 5;

  /// How many low bits the bins of a level leave out: first exponent and 8 bits, then 8 (double: 12) more
  /// each.
  WEIR_HOST_DEVICE static constexpr unsigned shift(unsigned level) {
    if constexpr (sizeof(Real) == 4) {
      return level == 0 ? 15 : level == 1 ? 7 : 0;
    } else {
      return level < 4 ? 44 - 12 * level : 0;
    }
  }

  WEIR_HOST_DEVICE static constexpr Bits of(Real value) {
    return __builtin_bit_cast(Bits, value) & static_cast<Bits>(~Bits{0} >> 1);
  }
  WEIR_HOST_DEVICE static constexpr Real value(Bits key) { return __builtin_bit_cast(Real, key); }

  /// Finite and not zero.
  WEIR_HOST_DEVICE static constexpr bool takes_part(Bits key) { return key - 1 < infinity - 1; }
};

}  // namespace weir::inline v1
