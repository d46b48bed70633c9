#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/cyclic_layout.hpp"
#include "weir/mask/design/owner.hpp"

namespace weir::inline v1 {

/// The square design of a difference set modulo v: row i is the set shifted by i.
///
/// Cost: 4 bytes per difference.
/// Errors: ContractViolation where the differences do not ascend or are not below v.
class CyclicDesign : public DesignOwner<CyclicDesign> {
 public:
  constexpr CyclicDesign(std::uint32_t order, std::vector<std::uint32_t> differences)
      : order_(order), differences_(std::move(differences)) {
    differences_.shrink_to_fit();
    for (std::size_t i = 0; i < differences_.size(); ++i) {
      if (differences_[i] >= order_ || (i != 0 && differences_[i] <= differences_[i - 1]))
        throw ContractViolation("CyclicDesign: differences must ascend and lie below the order");
    }
  }

  /// Valid as long as this design is.
  constexpr CyclicLayout layout() const {
    return {order_, static_cast<std::uint32_t>(differences_.size()), differences_.data()};
  }
  constexpr std::vector<std::uint32_t> const& differences() const { return differences_; }

  /// All that this one is not; a design of the same kind.
  constexpr CyclicDesign complement() const {
    std::vector<std::uint32_t> others;
    std::size_t at = 0;
    for (std::uint32_t d = 0; d < order_; ++d) {
      if (at < differences_.size() && differences_[at] == d) {
        ++at;
      } else {
        others.push_back(d);
      }
    }
    return CyclicDesign(order_, std::move(others));
  }

  /// Copy number `seed`: the set shifted and times a number prime to v. Numbers under which the set is a
  /// shift of itself are passed over, so copies differ until all have been given; then they begin again.
  constexpr CyclicDesign copy(std::uint64_t seed) const {
    std::vector<std::vector<std::uint32_t>> kinds = {differences_};
    std::uint64_t const wanted = seed / order_;
    for (std::uint32_t unit = 2; unit < order_ && kinds.size() <= wanted; ++unit) {
      if (common_divisor(unit, order_) != 1) continue;
      std::vector<std::uint32_t> multiple = moved(differences_, unit, 0);
      bool is_new = 1;
      for (auto const& kind : kinds) is_new = is_new && !is_shift(kind, multiple);
      if (is_new) kinds.push_back(std::move(multiple));
    }
    auto const shift = static_cast<std::uint32_t>(seed % order_);
    return CyclicDesign(order_, moved(kinds[wanted % kinds.size()], 1, shift));
  }

 private:
  static constexpr std::uint32_t common_divisor(std::uint32_t a, std::uint32_t b) {
    while (b != 0) a = std::exchange(b, a % b);
    return a;
  }

  constexpr std::vector<std::uint32_t> moved(std::vector<std::uint32_t> const& set, std::uint64_t unit,
                                             std::uint64_t shift) const {
    std::vector<std::uint8_t> holds(order_, 0);
    for (std::uint32_t const d : set) holds[(unit * d + shift) % order_] = 1;
    std::vector<std::uint32_t> image;
    for (std::uint32_t d = 0; d < order_; ++d) {
      if (holds[d] != 0) image.push_back(d);
    }
    return image;
  }

  constexpr bool is_shift(std::vector<std::uint32_t> const& a, std::vector<std::uint32_t> const& b) const {
    for (std::uint32_t const d : b) {
      if (moved(a, 1, std::uint64_t{d} + order_ - a.front()) == b) return true;
    }
    return false;
  }

  std::uint32_t order_;
  std::vector<std::uint32_t> differences_;
};

}  // namespace weir::inline v1
