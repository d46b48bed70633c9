#pragma once

#include "weir/host/lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// The operations that a rule such as `SgdRule` is written with, for `Count` numbers at once. Same bits as
/// `NumberMath`.
template <class Real, int Count>
struct LaneMath {
  using Values = Lanes<Real, Count>;

  template <class Right>
  [[gnu::always_inline]] static void multiply(Values const& left, Right const& right, Values& to) {
    detail::multiply(left, right, to);
  }

  [[gnu::always_inline]] static void multiply_add(Values const& left, Real right, Values const& addend,
                                                  Values& to) {
    detail::multiply_add(left, right, addend, to);
  }

  [[gnu::always_inline]] static void add(Values const& left, Real right, Values& to) { to = left + right; }

  [[gnu::always_inline]] static void subtract(Values const& left, Values const& right, Values& to) {
    to = left - right;
  }

  [[gnu::always_inline]] static void divide(Values const& left, Values const& right, Values& to) {
    to = left / right;
  }

  [[gnu::always_inline]] static void square_root(Values const& from, Values& to) {
    detail::square_root<Real, Count>(from, to);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
