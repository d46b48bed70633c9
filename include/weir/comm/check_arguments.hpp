#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "weir/comm/even_split.hpp"
#include "weir/comm/fingerprint.hpp"
#include "weir/comm/group.hpp"
#include "weir/comm/reduce_op.hpp"
#include "weir/comm/wire_type.hpp"
#include "weir/core/error.hpp"

// What every communicator checks at the call, before anything is enqueued.

namespace weir::inline v1::detail {

template <Reducible T>
void check_op(ReduceOp op) {
  if (op == ReduceOp::bit_or && !std::integral<T>) {
    throw ContractViolation(std::string("bit_or combines integers, not ") + name_of(wire_type_of<T>));
  }
}

inline void check_root(std::size_t root, std::size_t ranks) {
  if (root >= ranks) {
    throw ContractViolation("broadcast: root " + std::to_string(root) + " is not one of the " +
                            std::to_string(ranks) + " ranks");
  }
}

template <class Space>
void check_peers(std::span<Transfer<Space> const> transfers, std::size_t ranks) {
  for (Transfer<Space> const& transfer : transfers) {
    if (transfer.peer < ranks) continue;
    throw ContractViolation("exchange: peer " + std::to_string(transfer.peer) + " is not one of the " +
                            std::to_string(ranks) + " ranks");
  }
}

/// `part` is either the place `own` elements into `all`, or apart from it.
template <class T>
void check_overlap(char const* operation, T const* all, std::size_t all_count, std::size_t own, T const* part,
                   std::size_t part_count) {
  if (part_count == 0 || all_count == 0 || part == all + own) return;
  auto const place = [](T const* element) { return reinterpret_cast<std::uintptr_t>(element); };
  if (place(part) < place(all + all_count) && place(all) < place(part + part_count)) {
    throw ContractViolation(
        std::string(operation) +
        ": the two views overlap; the small one is either this rank's own place in the large "
        "one or apart from it");
  }
}

template <class T>
void check_gather(std::size_t rank, std::size_t ranks, T const* block, std::size_t block_count, T const* all,
                  std::size_t all_count) {
  if (all_count % ranks != 0 || all_count / ranks != block_count) {
    throw ContractViolation("all_gather: " + std::to_string(ranks) + " blocks of " +
                            std::to_string(block_count) + " elements do not fill " +
                            std::to_string(all_count) + " elements");
  }
  check_overlap("all_gather", all, all_count, rank * block_count, block, block_count);
}

/// Where the parts of a reduce_scatter begin and end; no boundaries means the even split.
class PartBoundaries {
 public:
  PartBoundaries(std::span<std::size_t const> boundaries, std::size_t count, std::size_t ranks)
      : boundaries_(boundaries), count_(count), ranks_(ranks) {
    if (boundaries.empty()) return;
    bool is_right = boundaries.size() == ranks + 1 && boundaries.front() == 0 && boundaries.back() == count;
    for (std::size_t r = 0; is_right && r < ranks; ++r) is_right = boundaries[r] <= boundaries[r + 1];
    if (!is_right) {
      throw ContractViolation("reduce_scatter: " + std::to_string(ranks) + " ranks need " +
                              std::to_string(ranks + 1) + " boundaries that grow from 0 to " +
                              std::to_string(count));
    }
  }

  std::size_t begin(std::size_t rank) const {
    return boundaries_.empty() ? even_split(count_, rank, ranks_) : boundaries_[rank];
  }
  std::size_t end(std::size_t rank) const { return begin(rank + 1); }
  std::size_t size(std::size_t rank) const { return end(rank) - begin(rank); }

  /// 0 for the even split, as in a fingerprint without a layout.
  std::uint64_t hash() const {
    if (boundaries_.empty()) return 0;
    std::uint64_t hash = layout_hash_seed;
    for (std::size_t const boundary : boundaries_) hash = layout_hash(hash, boundary);
    return hash;
  }

 private:
  std::span<std::size_t const> boundaries_;
  std::size_t count_;
  std::size_t ranks_;
};

template <class T>
void check_scatter(PartBoundaries const& parts, std::size_t rank, T const* all, std::size_t all_count,
                   T const* part, std::size_t part_count) {
  if (part_count != parts.size(rank)) {
    throw ContractViolation("reduce_scatter: the part of rank " + std::to_string(rank) + " has " +
                            std::to_string(parts.size(rank)) + " elements, the view given for it " +
                            std::to_string(part_count));
  }
  check_overlap("reduce_scatter", all, all_count, parts.begin(rank), part, part_count);
}

}  // namespace weir::inline v1::detail
