#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/host/kernels/find_above.hpp"

namespace weir::inline v1 {
namespace detail {

/// What the order of elements makes no difference to: of the finite ones whose key is above `limit`, and how
/// many are not finite.
template <class Real>
struct LeafKeys {
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  std::uint64_t non_finite = 0;
  std::uint64_t participants = 0;
  Bits smallest = Key::infinity;
  Bits largest = 0;

  template <int VectorBytes>
  [[gnu::always_inline]] static LeafKeys of(Real const* values, std::size_t size, Bits limit) {
    using Signed = std::make_signed_t<Bits>;
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    using Keys = Lanes<Signed, lanes>;
    constexpr Signed magnitudes = static_cast<Signed>(~Bits{0} >> 1);
    // How far above the limit; what is not above is further than any that is.
    Signed const first = static_cast<Signed>(limit + 1);
    Keys least = {}, most = {}, above = {};
    least += magnitudes;
    std::size_t i = 0;
    for (; size - i >= static_cast<std::size_t>(lanes); i += static_cast<std::size_t>(lanes)) {
      Lanes<Real, lanes> value;
      Keys keys;
      load<Real, lanes>(values + i, value);
      keys_of<Real, lanes>(value, keys);
      Keys const beyond = (keys - first) & magnitudes;
      least = beyond < least ? beyond : least;
      most = keys > most ? keys : most;
      above -= keys >= first;
    }
    LeafKeys result;
    Signed nearest = magnitudes;
    for (int lane = 0; lane < lanes; ++lane) {
      result.participants += static_cast<std::uint64_t>(above[lane]);
      if (least[lane] < nearest) nearest = least[lane];
      if (static_cast<Bits>(most[lane]) > result.largest) result.largest = static_cast<Bits>(most[lane]);
    }
    for (; i < size; ++i) {
      Bits const key = Key::of(values[i]);
      Signed const beyond = (static_cast<Signed>(key) - first) & magnitudes;
      result.participants += key > limit ? 1u : 0u;
      if (beyond < nearest) nearest = beyond;
      if (key > result.largest) result.largest = key;
    }
    if (result.largest >= Key::infinity) return slowly(values, size, limit);
    if (result.participants == 0) return {};
    result.smallest = static_cast<Bits>(nearest + first);
    return result;
  }

 private:
  static LeafKeys slowly(Real const* values, std::size_t size, Bits limit) {
    LeafKeys result;
    for (std::size_t i = 0; i < size; ++i) {
      Bits const key = Key::of(values[i]);
      if (key >= Key::infinity) {
        ++result.non_finite;
      } else if (key > limit) {
        ++result.participants;
        if (key < result.smallest) result.smallest = key;
        if (key > result.largest) result.largest = key;
      }
    }
    return result;
  }
};

}  // namespace detail
}  // namespace weir::inline v1
