#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/design/developed_layout.hpp"
#include "weir/mask/design/owner.hpp"

namespace weir::inline v1 {

/// The square design of a difference set in a commutative group: row i is the set plus i.
///
/// Cost: 4 bytes per element of the set.
/// Errors: ContractViolation where the set does not ascend or is not in the group.
template <class Group>
class DevelopedDesign : public DesignOwner<DevelopedDesign<Group>> {
 public:
  constexpr DevelopedDesign(Group group, std::vector<std::uint32_t> set)
      : group_(std::move(group)), set_(std::move(set)) {
    set_.shrink_to_fit();
    for (std::size_t i = 0; i < set_.size(); ++i) {
      if (set_[i] >= group_.order() || (i != 0 && set_[i] <= set_[i - 1]))
        throw ContractViolation("DevelopedDesign: the set must ascend and lie in the group");
    }
  }

  /// Valid as long as this design is.
  constexpr DevelopedLayout<Group> layout() const {
    return {group_, static_cast<std::uint32_t>(set_.size()), set_.data()};
  }
  constexpr std::vector<std::uint32_t> const& set() const { return set_; }

 private:
  Group group_;
  std::vector<std::uint32_t> set_;
};

}  // namespace weir::inline v1
