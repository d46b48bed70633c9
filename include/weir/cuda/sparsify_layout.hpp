#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/leaf_tree.hpp"
#include "weir/exec/tail_lane.hpp"

namespace weir::inline v1 {
namespace detail {

/// How the kernels of a sparsification divide a bucket among them, and their scratch memory. Neither depends
/// on the device, nor does any result depend on it.
///
/// A unit is a run of elements that one warp takes; it has room for the candidates among them, a quarter.
struct SparsifyLayout {
  static constexpr std::size_t header_bytes = 2048;
  static constexpr std::size_t bins = 4096;
  static constexpr std::size_t least_unit = 512;
  static constexpr std::size_t most_units = 16384;
  static constexpr std::size_t most_subtrees = 4096;
  static constexpr std::size_t subtree_bytes = 64;  // of a node of the tree, at most
  static constexpr std::size_t count_bytes = 16;    // of what a unit has of a selection
  static constexpr std::size_t place_bytes = 24;    // of where it begins in the selection
  static_assert(sizeof(TailNode) <= subtree_bytes);

  std::size_t size = 0;
  std::size_t unit = least_unit;  // elements, a power of two
  std::size_t units = 0;
  std::size_t subtree = 2;  // leaves of the tree that a warp takes in turn, a power of two
  std::size_t subtrees = 0;

  WEIR_HOST_DEVICE static constexpr SparsifyLayout of(std::size_t size) {
    SparsifyLayout layout;
    layout.size = size;
    while ((size + layout.unit - 1) / layout.unit > most_units) layout.unit *= 2;
    layout.units = (size + layout.unit - 1) / layout.unit;
    std::size_t const leaves = leaves_of(size);
    layout.subtree = subtree_leaves(leaves, 2, most_subtrees);
    layout.subtrees = (leaves + layout.subtree - 1) / layout.subtree;
    return layout;
  }

  WEIR_HOST_DEVICE constexpr std::size_t unit_room() const { return unit / 4; }

  // Where each part begins.
  WEIR_HOST_DEVICE constexpr std::size_t counters() const { return header_bytes; }
  WEIR_HOST_DEVICE constexpr std::size_t nodes() const { return counters() + bins * sizeof(std::uint64_t); }
  WEIR_HOST_DEVICE constexpr std::size_t counts() const { return nodes() + subtrees * subtree_bytes; }
  WEIR_HOST_DEVICE constexpr std::size_t places() const { return counts() + units * count_bytes; }
  WEIR_HOST_DEVICE constexpr std::size_t found() const { return places() + units * place_bytes; }
  WEIR_HOST_DEVICE constexpr std::size_t values() const { return found() + units * sizeof(std::uint64_t); }
  WEIR_HOST_DEVICE constexpr std::size_t offsets(std::size_t bytes_of_real) const {
    return values() + units * unit_room() * bytes_of_real;
  }
  WEIR_HOST_DEVICE constexpr std::size_t bytes(std::size_t bytes_of_real) const {
    return offsets(bytes_of_real) + units * unit_room() * sizeof(std::uint32_t);
  }

  /// Enough for all buckets of up to that size. Beyond a power of two units may be larger, and fewer.
  static constexpr std::size_t most_bytes(std::size_t size, std::size_t bytes_of_real) {
    std::size_t power = 1;
    while (power <= size / 2) power *= 2;
    std::size_t const bytes = of(size).bytes(bytes_of_real);
    std::size_t const before = power <= size ? of(power).bytes(bytes_of_real) : 0;
    return bytes < before ? before : bytes;
  }
};

}  // namespace detail
}  // namespace weir::inline v1
