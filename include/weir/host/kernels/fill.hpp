#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/host/lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// `out = value`, for elements of any type: `Real` is the unsigned integer of their size.
template <class Element>
struct Fill {
  using Real = std::conditional_t<sizeof(Element) == 2, std::uint16_t,
                                  std::conditional_t<sizeof(Element) == 4, std::uint32_t, std::uint64_t>>;
  Element* out;
  Real value;

  Fill(Element* to, Element const& element) : out(to), value(__builtin_bit_cast(Real, element)) {}

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    Lanes<Real, Count> values = {};
    values |= value;
    __builtin_memcpy(static_cast<void*>(out + i), &values, sizeof(values));
  }
};

}  // namespace detail
}  // namespace weir::inline v1
