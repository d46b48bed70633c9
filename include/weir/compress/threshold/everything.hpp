#pragma once

namespace weir::inline v1 {

/// Threshold policy: every slot that is not zero, whatever the density. (`Dense` is the form of a gradient.)
struct Everything {
  static constexpr char const* name = "dense";
  static constexpr bool selects_everything = true;
};

}  // namespace weir::inline v1
