#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"

namespace weir::inline v1 {

/// What a table says besides its operations.
struct TableProperties {
  std::uint32_t workers = 1;
  std::uint32_t stages = 1;
  std::uint32_t micro_batches = 1;
  std::uint32_t period = 1;  ///< micro-batches per update
  bool synchronous = true;   ///< one update, after all of them
  friend constexpr bool operator==(TableProperties const&, TableProperties const&) = default;
};

/// A schedule as data: for each worker the operations it does, one after another. When they happen is not
/// stored, as it follows. A view: the operations belong to somebody else, and lie worker by worker.
class TableView {
 public:
  constexpr TableView(TableProperties const& properties, std::span<Operation const> operations,
                      std::span<std::size_t const> begins)
      : properties_(properties), operations_(operations), begins_(begins) {}

  constexpr TableProperties const& properties() const { return properties_; }
  constexpr std::uint32_t workers() const { return properties_.workers; }
  constexpr std::uint32_t stages() const { return properties_.stages; }
  constexpr std::uint32_t micro_batches() const { return properties_.micro_batches; }
  constexpr std::uint32_t period() const { return properties_.period; }
  constexpr bool synchronous() const { return properties_.synchronous; }

  /// Of all workers.
  constexpr std::span<Operation const> operations() const { return operations_; }
  constexpr std::span<Operation const> worker(std::size_t index) const {
    return operations_.subspan(begins_[index], begins_[index + 1] - begins_[index]);
  }
  /// Where among all operations those of a worker begin; of `workers()`: their number.
  constexpr std::size_t begin_of(std::size_t worker) const { return begins_[worker]; }
  /// The worker of the operation at a position among all.
  constexpr std::uint32_t worker_at(std::size_t position) const {
    std::uint32_t first = 0;
    std::uint32_t last = workers() - 1;
    while (first < last) {
      std::uint32_t const middle = first + (last - first) / 2;
      if (begins_[middle + std::size_t{1}] <= position) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return first;
  }

  friend constexpr bool operator==(TableView const& left, TableView const& right) {
    if (!(left.properties_ == right.properties_) || left.operations_.size() != right.operations_.size())
      return false;
    for (std::size_t i = 0; i < left.begins_.size(); ++i) {
      if (left.begins_[i] != right.begins_[i]) return false;
    }
    for (std::size_t i = 0; i < left.operations_.size(); ++i) {
      if (!(left.operations_[i] == right.operations_[i])) return false;
    }
    return true;
  }

 private:
  TableProperties properties_;
  std::span<Operation const> operations_;
  std::span<std::size_t const> begins_;
};

/// A table that owns its operations, filled worker by worker: `add` appends to the worker that `next_worker`
/// began.
class ScheduleTable {
 public:
  constexpr explicit ScheduleTable(TableProperties const& properties) : properties_(properties) {}

  /// The operations of each worker.
  constexpr ScheduleTable(TableProperties const& properties,
                          std::vector<std::vector<Operation>> const& workers)
      : ScheduleTable(properties) {
    properties_.workers = static_cast<std::uint32_t>(workers.size());
    for (std::vector<Operation> const& operations : workers) {
      next_worker();
      for (Operation const& operation : operations) add(operation);
    }
  }

  constexpr void next_worker() { begins_.push_back(operations_.size()); }
  constexpr void add(Operation const& operation) {
    operations_.push_back(operation);
    ++begins_.back();
  }
  constexpr void reserve(std::size_t operations) { operations_.reserve(operations); }

  constexpr TableProperties const& properties() const { return properties_; }
  constexpr TableProperties& properties() { return properties_; }
  /// For changes that leave each worker as many operations as it had.
  constexpr std::span<Operation> operations() { return operations_; }
  constexpr std::span<Operation const> operations() const { return operations_; }

  /// Valid until the table changes.
  /// Errors: ContractViolation if there are not as many workers as the properties say.
  constexpr TableView view() const {
    if (begins_.size() != properties_.workers + std::size_t{1})
      throw ContractViolation("ScheduleTable: next_worker() once for each of its workers would be right");
    return {properties_, operations_, begins_};
  }
  constexpr operator TableView() const& { return view(); }

  friend constexpr bool operator==(ScheduleTable const& left, ScheduleTable const& right) {
    return left.view() == right.view();
  }

 private:
  TableProperties properties_;
  std::vector<Operation> operations_;
  std::vector<std::size_t> begins_ = {0};  // and the end of the last
};

/// The same in an array, so that it can be a constant.
template <std::size_t workers, std::size_t operation_count>
struct StaticScheduleTable {
  TableProperties properties = {};
  std::array<Operation, operation_count> operations = {};
  std::array<std::size_t, workers + 1> begins = {};

  constexpr TableView view() const { return {properties, operations, begins}; }
  constexpr operator TableView() const { return view(); }
};

}  // namespace weir::inline v1
