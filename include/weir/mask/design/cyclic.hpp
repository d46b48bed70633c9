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
  ///
  /// Cost: O(v) time and bytes, whatever the seed, where the multiples of the set lie as if by chance, as
  /// those of difference sets do.
  constexpr CyclicDesign copy(std::uint64_t seed) const {
    std::uint64_t const unit = seed < order_ ? 1 : unit_of_kind(seed / order_);
    return CyclicDesign(order_, moved(unit, seed % order_));
  }

 private:
  static constexpr std::uint32_t common_divisor(std::uint32_t a, std::uint32_t b) {
    while (b != 0) a = std::exchange(b, a % b);
    return a;
  }

  constexpr std::vector<std::uint8_t> marked(std::uint64_t unit, std::uint64_t shift) const {
    std::vector<std::uint8_t> holds(order_, 0);
    for (std::uint32_t const d : differences_) holds[(unit * d + shift) % order_] = 1;
    return holds;
  }
  constexpr std::vector<std::uint32_t> moved(std::uint64_t unit, std::uint64_t shift) const {
    std::vector<std::uint8_t> const holds = marked(unit, shift);
    std::vector<std::uint32_t> image;
    for (std::uint32_t d = 0; d < order_; ++d) {
      if (holds[d] != 0) image.push_back(d);
    }
    return image;
  }

  /// Numbers prime to v give the same kind of copies if one is the other times a multiplier of the set; the
  /// smallest of each kind, ascending, are numbered from 0, and begin again.
  constexpr std::uint64_t unit_of_kind(std::uint64_t number) const {
    std::vector<std::uint32_t> const group = multipliers();
    std::vector<std::uint8_t> is_taken(order_, 0);
    std::vector<std::uint32_t> units;
    for (std::uint32_t unit = 1; unit < order_ && units.size() <= number; ++unit) {
      if (is_taken[unit] != 0 || common_divisor(unit, order_) != 1) continue;
      for (std::uint64_t const multiplier : group) is_taken[unit * multiplier % order_] = 1;
      units.push_back(unit);
    }
    return units.empty() ? 1 : units[number % units.size()];
  }

  /// The numbers under which the set is a shift of itself. They are a group: what one of them times another
  /// number is, that number is, so hardly more than one of each kind is held against the set.
  constexpr std::vector<std::uint32_t> multipliers() const {
    enum : std::uint8_t { unknown, in_group, outside };
    std::vector<std::uint8_t> states(order_, unknown);
    std::vector<std::uint8_t> const holds = marked(1, 0);
    std::uint64_t sum = 0;
    for (std::uint32_t const d : differences_) sum = (sum + d) % order_;
    std::vector<std::uint32_t> group = {1};
    states[1 % order_] = in_group;
    for (std::uint32_t unit = 2; unit < order_; ++unit) {
      if (states[unit] != unknown || common_divisor(unit, order_) != 1) continue;
      bool const is_new = is_multiplier(unit, holds, sum);
      std::size_t const size = group.size();
      std::uint64_t power = unit;
      do {
        for (std::size_t i = 0; i < size; ++i) {
          auto const product = static_cast<std::uint32_t>(power * group[i] % order_);
          states[product] = is_new ? in_group : outside;
          if (is_new) group.push_back(product);
        }
        power = power * unit % order_;
      } while (is_new && states[power] != in_group);
    }
    return group;
  }

  /// Whether unit * set = set + shift. The sums of both sides leave few shifts, for a difference set mostly
  /// one, and a wrong one soon misses.
  constexpr bool is_multiplier(std::uint64_t unit, std::vector<std::uint8_t> const& holds,
                               std::uint64_t sum) const {
    std::uint64_t const size = differences_.size();
    std::uint64_t const shifts = common_divisor(static_cast<std::uint32_t>(size), order_);
    std::uint64_t const right = (unit - 1) * sum % order_;
    if (right % shifts != 0) return false;
    std::uint64_t const step = order_ / shifts;
    std::uint64_t shift = right / shifts * inverse(size / shifts, step) % step;
    for (; shift < order_; shift += step) {
      std::size_t i = 0;
      while (i < size && holds[(unit * differences_[i] + order_ - shift) % order_] != 0) ++i;
      if (i == size) return true;
    }
    return false;
  }

  /// Of a number prime to the modulus, by Euclid.
  static constexpr std::uint64_t inverse(std::uint64_t number, std::uint64_t modulus) {
    auto rest = static_cast<std::int64_t>(modulus);
    auto next = static_cast<std::int64_t>(number % modulus);
    std::int64_t factor = 0;
    for (std::int64_t of_next = 1; next != 0;) {
      std::int64_t const quotient = rest / next;
      factor = std::exchange(of_next, factor - quotient * of_next);
      rest = std::exchange(next, rest - quotient * next);
    }
    return static_cast<std::uint64_t>(factor < 0 ? factor + static_cast<std::int64_t>(modulus) : factor);
  }

  std::uint32_t order_;
  std::vector<std::uint32_t> differences_;
};

}  // namespace weir::inline v1
