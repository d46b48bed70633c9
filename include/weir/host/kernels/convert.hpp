#pragma once

#include <cstddef>
#include <type_traits>

#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// `out = in` between element types, each rounded once.
template <class From, class To>
struct Convert {
  using Real = std::conditional_t<std::is_same_v<From, double> || std::is_same_v<To, double>, double, float>;
  From const* in;
  To* out;

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    Lanes<Real, Count> values;
    load<Real, Count>(in + i, values);
    store<Real, Count>(values, out + i);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
