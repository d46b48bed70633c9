#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/skip_edge.hpp"

namespace weir::inline v1::detail {

/// A message between two workers, as one of them sees it.
struct Message {
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::uint32_t lost = UINT32_MAX - 1;  // nothing in the table sends it

  std::uint32_t id = none;
  std::uint32_t peer = 0;  // worker
};

/// Which messages operations receive and send. Each has a link for the order of the model, 0, and one for
/// each skip edge.
class MessageMap {
 public:
  constexpr MessageMap(TableView const& table, OperationIndex const& index, std::span<SkipEdge const> skips)
      : stages_(table.stages()),
        index_(index),
        skips_(skips),
        links_(static_cast<std::uint32_t>(1 + skips.size())),
        count_(table.operations().size() * links_) {
    if (count_ >= Message::lost)
      throw ContractViolation("MessageMap: a table with more operations than 32 bits can count");
  }

  constexpr std::uint32_t links() const { return links_; }
  /// Identifiers are below this.
  constexpr std::size_t count() const { return count_; }
  constexpr std::size_t producer_of(std::uint32_t message) const { return message / links_; }

  constexpr Message input(Operation const& operation, std::uint32_t worker, std::uint32_t link) const {
    bool const is_ahead = is_forward(operation);
    std::uint32_t const from = neighbour(operation, link, !is_ahead);
    if (from == OperationIndex::none) return {};
    std::uint32_t const home = index_.worker_of(operation.direction, from);
    if (home == worker) return {};
    if (home == OperationIndex::none) return {Message::lost, worker};
    std::uint32_t const producer = is_ahead ? index_.forward(operation.direction, from, operation.micro_batch)
                                            : index_.input(operation.direction, from, operation.micro_batch);
    if (producer == OperationIndex::none) return {Message::lost, home};
    return {producer * links_ + link, home};
  }

  constexpr Message output(Operation const& operation, std::size_t position, std::uint32_t worker,
                           std::uint32_t link) const {
    std::uint32_t const to = neighbour(operation, link, is_forward(operation));
    if (to == OperationIndex::none) return {};
    std::uint32_t const home = index_.worker_of(operation.direction, to);
    if (home == worker || home == OperationIndex::none) return {};
    return {static_cast<std::uint32_t>(position) * links_ + link, home};
  }

 private:
  /// The stage at the other end of a link, further on in the model or before.
  constexpr std::uint32_t neighbour(Operation const& operation, std::uint32_t link, bool further) const {
    if (!is_forward(operation) && !gives_input_gradient(operation)) return OperationIndex::none;
    if (link == 0) {
      bool const is_at_end = further ? operation.stage + 1u == stages_ : operation.stage == 0;
      if (is_at_end) return OperationIndex::none;
      return further ? operation.stage + 1u : operation.stage - 1u;
    }
    SkipEdge const& skip = skips_[link - 1];
    if ((further ? skip.from : skip.to) != operation.stage) return OperationIndex::none;
    return further ? skip.to : skip.from;
  }

  std::uint32_t stages_;
  OperationIndex const& index_;
  std::span<SkipEdge const> skips_;
  std::uint32_t links_;
  std::size_t count_;
};

}  // namespace weir::inline v1::detail
