#pragma once

namespace weir::inline v1 {

/// Threshold policy: selects nothing. Everything goes into the residual, from where `take_at` fetches what
/// somebody else has chosen, such as the leader of an all-reduce with shared indices.
struct Deferred {
  static constexpr char const* name = "deferred";
  static constexpr bool selects_nothing = true;
};

}  // namespace weir::inline v1
