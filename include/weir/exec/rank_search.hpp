#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/search_task.hpp"

namespace weir::inline v1 {

/// Finds the cut that takes the `rank` largest magnitudes, level by level of bins that split the one before.
/// With a tolerance it ends where leaving out a bin or taking it whole misses the rank by no more than that.
template <class Real>
class RankSearch {
 public:
  RankQuery query = {};
  SlotCut<Real> cut = {};    // in the end
  std::uint32_t levels = 0;  // used

  /// `is_exact`: down to the single magnitude, which becomes the threshold.
  WEIR_HOST_DEVICE void start(std::uint64_t rank, std::uint64_t tolerance, bool is_exact) {
    *this = {};
    rank_ = rank;
    tolerance_ = tolerance;
    is_exact_ = is_exact;
    query = {rank, 0, 63, Key::shift(0)};
  }

  /// Takes the answer to the query. Returns whether there is another one.
  WEIR_HOST_DEVICE bool resume(RankAnswer const& answer) {
    std::uint64_t const above = above_ + answer.above;
    unsigned const shift = query.shift;
    Bits const bin = static_cast<Bits>(answer.bin);
    ++levels;
    if (!is_exact_) {
      std::uint64_t const missing = rank_ - above;
      std::uint64_t const surplus = above + answer.inside - rank_;
      bool const fewer = above >= 1 && missing <= tolerance_;
      bool const more = surplus <= tolerance_;
      if (more && (!fewer || surplus < missing)) return end(just_below(static_cast<Bits>(bin << shift)), 0);
      if (fewer) return end(just_below(static_cast<Bits>((bin + 1) << shift)), 0);
    }
    if (shift == 0) return end(bin, rank_ - above);
    above_ = above;
    query = {rank_ - above, answer.bin, shift, Key::shift(levels)};
    return true;
  }

 private:
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;

  WEIR_HOST_DEVICE static Bits just_below(Bits key) { return key == 0 ? key : static_cast<Bits>(key - 1); }
  WEIR_HOST_DEVICE bool end(Bits threshold, std::uint64_t ties) {
    cut = {Key::value(threshold), ties, 0};
    return false;
  }

  std::uint64_t rank_ = 0;
  std::uint64_t tolerance_ = 0;
  std::uint64_t above_ = 0;  // the bin that is being split
  bool is_exact_ = false;
};

}  // namespace weir::inline v1
