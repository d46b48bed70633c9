#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"

namespace weir::inline v1 {

/// What an operation of a pipeline has read and given, by hashes of the tensors that its micro-batch fills.
struct ReplayEntry {
  std::uint32_t run = 0;
  Operation operation = {};
  std::uint64_t version = 0;  ///< of the weights that it read, counted from the first run
  std::uint64_t taken = 0;    ///< of what came from other stages
  std::uint64_t given = 0;    ///< of what goes to other stages
  friend constexpr bool operator==(ReplayEntry const&, ReplayEntry const&) = default;
};

/// An operation that was executed again differs from the log, for the first time: all that it depends on is
/// as it was.
class ReplayDifference : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The operations of a pipeline's runs, for `PipelineOptions::log`: first it is filled, and after `rewind`
/// the runs that follow are compared with it, in their order, until an operation differs. Its error, before
/// anything is handed on, locates a fault: data that were taken in otherwise than logged were damaged on
/// their way, data that were given otherwise by the stage or its weights.
///
/// Cost: a pass over the messages for each operation, and 48 bytes.
class ReplayLog {
 public:
  /// Room for so many operations of each worker; the later ones are not logged.
  explicit ReplayLog(std::size_t operations) : room_(operations) {}

  /// By the pipeline that it is given to. One pipeline at a time.
  void open(std::size_t workers) {
    if (!entries_.empty() && entries_.size() != workers)
      throw ContractViolation("ReplayLog: it is of " + std::to_string(entries_.size()) +
                              " workers, the pipeline has " + std::to_string(workers));
    entries_.resize(workers);
    positions_.resize(workers);
    for (auto& of_worker : entries_) of_worker.reserve(room_);
  }

  /// From here on runs are compared with what was logged. Between runs.
  void rewind() {
    is_replay_ = true;
    for (std::size_t& position : positions_) position = 0;
  }
  bool is_replay() const { return is_replay_; }

  std::vector<ReplayEntry> const& of_worker(std::size_t worker) const { return entries_[worker]; }
  /// How many operations of a worker have been compared.
  std::size_t compared(std::size_t worker) const { return positions_[worker]; }

  /// By one thread for each worker. Errors: `ReplayDifference`.
  void add(std::size_t worker, ReplayEntry const& entry) {
    auto& entries = entries_[worker];
    if (!is_replay_) {
      if (entries.size() < room_) entries.push_back(entry);
      return;
    }
    std::size_t& position = positions_[worker];
    if (position == entries.size()) return;
    ReplayEntry logged = entries[position];
    logged.run = entry.run;  // runs are counted on
    if (!(logged == entry)) refuse(entries[position], entry);
    ++position;
  }

 private:
  [[noreturn]] static void refuse(ReplayEntry const& logged, ReplayEntry const& here) {
    std::string const when = " in run " + std::to_string(logged.run) + " of the log";
    if (!(logged.operation == here.operation))
      throw ReplayDifference("another operation was executed" + when);
    if (logged.version != here.version)
      throw ReplayDifference("weights of version " + std::to_string(logged.version) + " were read" + when +
                             ", of version " + std::to_string(here.version) + " here");
    throw ReplayDifference((logged.taken != here.taken ? "other data were taken in"
                                                       : "the same data were taken in, and others given") +
                           when);
  }

  std::size_t room_;
  bool is_replay_ = false;
  std::vector<std::vector<ReplayEntry>> entries_;  // by worker
  std::vector<std::size_t> positions_;
};

}  // namespace weir::inline v1
