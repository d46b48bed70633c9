#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {
namespace detail {

// The order in which a vector is summed up depends on its size alone. A leaf is 4,096 elements, the last one
// what is left. Element i of a leaf goes to lane i % 64; the lanes of a leaf are folded by halving, lane i
// with lane i + 32 and so on; the leaves are folded pairwise in index order, and so are the pairs, where one
// without a partner stays as it is. Whoever takes 2^m leaves, from a multiple of 2^m on, folds a subtree.
inline constexpr std::size_t leaf_elements = 4096;
inline constexpr std::size_t leaf_lanes = 64;
inline constexpr std::size_t leaf_rows = leaf_elements / leaf_lanes;

WEIR_HOST_DEVICE constexpr std::size_t leaves_of(std::size_t elements) {
  return elements / leaf_elements + (elements % leaf_elements != 0 ? 1 : 0);
}

/// The leaves that one of at most `most` takes, a power of two and at least `fewest`, which is one.
WEIR_HOST_DEVICE constexpr std::size_t subtree_leaves(std::size_t leaves, std::size_t fewest,
                                                      std::size_t most) {
  std::size_t subtree = fewest;
  while ((leaves + subtree - 1) / subtree > most) subtree *= 2;
  return subtree;
}

/// Folds nodes pairwise in the order in which they come. A node has `merge(right)`; merging an empty one
/// changes nothing.
template <class Node>
class PairwiseFold {
 public:
  WEIR_HOST_DEVICE void clear() { count_ = 0; }

  WEIR_HOST_DEVICE void add(Node node) {
    unsigned level = 0;
    for (; (count_ >> level & 1u) != 0; ++level) {
      Node left = levels_[level];
      left.merge(node);
      node = left;
    }
    levels_[level] = node;
    ++count_;
  }

  /// `empty` where nothing came.
  WEIR_HOST_DEVICE Node total(Node const& empty) const {
    Node total = empty;
    bool is_first = true;
    for (unsigned level = 0; level < most_levels; ++level) {
      if ((count_ >> level & 1u) == 0) continue;
      Node left = levels_[level];
      if (!is_first) left.merge(total);
      total = left;
      is_first = false;
    }
    return total;
  }

 private:
  static constexpr unsigned most_levels = 32;

  std::uint64_t count_;  // below 2^32; its set bits say which levels hold a node
  Node levels_[most_levels];
};

/// A `Measurement` on its way up the tree.
struct SquareSum {
  double sum;
  std::uint64_t non_finite;

  WEIR_HOST_DEVICE void merge(SquareSum const& right) {
    sum += right.sum;
    non_finite += right.non_finite;
  }
  WEIR_HOST_DEVICE Measurement measurement() const { return {sum, non_finite}; }
};

}  // namespace detail
}  // namespace weir::inline v1
