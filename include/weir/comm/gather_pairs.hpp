#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// How many pairs a block holds, and how many there would have been without its capacity.
struct PairHeader {
  std::uint64_t count = 0;
  std::uint64_t wanted = 0;
};

/// Memory for (index, value) pairs of every rank, as blocks of one size: a header, then room for `capacity`
/// indices, then for `capacity` values. The counts travel with the pairs, so a gather needs no size
/// beforehand and can be enqueued.
///
/// Shapes: `memory` is `ranks * words(capacity)` words, and 8-byte aligned. Cost: the whole capacity is sent.
template <Transferable Value, class Space>
class PairBlocks {
 public:
  using Word = std::uint64_t;

  /// The size of one block.
  static constexpr std::size_t words(std::size_t capacity) {
    return sizeof(PairHeader) / sizeof(Word) + words_of(capacity * sizeof(std::uint32_t)) +
           words_of(capacity * sizeof(Value));
  }

  /// Errors: `ContractViolation` if the memory is not of that size.
  PairBlocks(TensorView<Word, Space> memory, std::size_t capacity, std::size_t ranks)
      : memory_(memory), capacity_(capacity) {
    if (memory.size() != ranks * words(capacity)) {
      throw ContractViolation("pairs of " + std::to_string(ranks) + " ranks with a capacity of " +
                              std::to_string(capacity) + " need " + std::to_string(ranks * words(capacity)) +
                              " words, not " + std::to_string(memory.size()));
    }
  }

  std::size_t capacity() const { return capacity_; }

  TensorView<Word, Space> block(std::size_t rank) const {
    return memory_.part(rank * words(capacity_), words(capacity_));
  }
  TensorView<Word, Space> all() const { return memory_; }

  /// The first `count` entries of the following two are meant.
  PairHeader* header(std::size_t rank) const { return reinterpret_cast<PairHeader*>(block(rank).data()); }
  TensorView<std::uint32_t, Space> indices(std::size_t rank) const {
    return {reinterpret_cast<std::uint32_t*>(header(rank) + 1), capacity_};
  }
  TensorView<Value, Space> values(std::size_t rank) const {
    auto* const after_indices =
        block(rank).data() + sizeof(PairHeader) / sizeof(Word) + words_of(capacity_ * sizeof(std::uint32_t));
    return {reinterpret_cast<Value*>(after_indices), capacity_};
  }

 private:
  static_assert(alignof(Value) <= alignof(Word));

  static constexpr std::size_t words_of(std::size_t bytes) {
    return (bytes + sizeof(Word) - 1) / sizeof(Word);
  }

  TensorView<Word, Space> memory_;
  std::size_t capacity_;
};

/// Gathers the pairs of all ranks: each has filled its own block, afterwards each has all blocks.
template <Executor E, GatheringCommunicator<E, std::uint64_t> C, class Value>
void gather_pairs(C const& communicator, E const& executor,
                  PairBlocks<Value, typename E::memory_space> const& pairs) {
  communicator.all_gather(executor, pairs.block(communicator.rank()), pairs.all());
}

}  // namespace weir::inline v1
