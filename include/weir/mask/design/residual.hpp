#pragma once

#include "weir/mask/design.hpp"
#include "weir/mask/design/derived.hpp"
#include "weir/mask/design/indexed.hpp"

namespace weir::inline v1 {

/// Of a symmetric design (v, k, lambda): (v-k, v-1, k, k-lambda, lambda). Row 0 is dropped and the columns
/// that it does not have are kept.
///
/// Errors: ContractViolation where the design is not symmetric.
template <Design D>
constexpr IndexedDesign<> residual(D const& design) {
  return detail::without_first_row(design, false);
}

}  // namespace weir::inline v1
