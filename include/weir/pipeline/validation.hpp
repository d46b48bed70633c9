#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/operation.hpp"

namespace weir::inline v1 {

/// A rule that a table can break.
enum class ViolationCode : std::uint8_t {
  missing,    ///< a stage and micro-batch without its forward, or without the whole of its backward
  duplicate,  ///< an operation that occurs twice, or a whole backward beside a split one
  placement,  ///< a stage on two workers, or a micro-batch in both directions
  order,      ///< an operation before one that it needs, on the same worker
  channel,    ///< a message that is not sent or received where it should be
  deadlock,   ///< workers that wait for each other
  capacity,   ///< workers that wait for each other because edges are full
  version,    ///< a forward that needs weights which do not exist yet
  period,     ///< micro-batches that are no multiple of those of an update
  memory,     ///< more held at a time than a limit allows
};

constexpr char const* name_of(ViolationCode code) {
  constexpr char const* names[] = {"missing",  "duplicate", "placement", "order",  "channel",
                                   "deadlock", "capacity",  "version",   "period", "memory"};
  return names[static_cast<std::uint8_t>(code)];
}

/// What is wrong in particular.
enum class ViolationKind : std::uint8_t {
  cell,               ///< `cell` is missing
  repeated,           ///< `cell` on `worker` again on `other_worker`
  both_backwards,     ///< `cell` and `other` on `worker`
  two_workers,        ///< stage of `cell` on `worker` and on `other_worker`
  two_directions,     ///< micro-batch of `cell` and `other`
  outside,            ///< `cell` on `worker`: the table has `expected` stages and `found` micro-batches
  before,             ///< `cell`, in slot `expected` of `worker`, before `other` in slot `found`
  not_sent,           ///< `cell` lacks on `worker`
  too_early,          ///< `cell` on `worker` comes before `other`
  too_late,           ///< `cell` on `worker` comes after `other`
  no_partner,         ///< `cell` on `worker` has nothing to send or receive
  cycle,              ///< the workers in `Validation::cycle`
  late,               ///< stage of `cell` has a delay of `found`, declared was `expected`
  too_many_versions,  ///< stage of `cell` has `found` live versions, declared were `expected`
  too_old,  ///< `cell` on `worker` needs version `expected` and there is `found`; a delay of `right` would do
  partial_period,   ///< `found` micro-batches, `expected` per update
  activations,      ///< `worker` holds `found`, the limit is `expected`
  weight_versions,  ///< the same
  messages,         ///< the same, on the edge to `other_worker`
  bytes,            ///< the same
};

struct Violation {
  ViolationCode code;
  ViolationKind kind;
  Operation cell = {};
  Operation other = {};
  std::uint32_t worker = 0;
  std::uint32_t other_worker = 0;
  std::uint64_t expected = 0;
  std::uint64_t found = 0;
  std::uint64_t right = 0;  ///< what it would have to be, where that is said
};

/// A worker that cannot go on.
struct BlockedWorker {
  std::uint32_t worker = 0;
  Operation cell = {};
  std::uint32_t waits_for = 0;  ///< worker
  Operation needed = {};        ///< its operation whose output is needed
  bool is_sending = false;      ///< into an edge that is full; else it receives
};

namespace detail {

inline std::string on_worker(Operation const& cell, std::uint32_t worker) {
  return cell_text(cell) + " on worker " + std::to_string(worker);
}

inline std::string text(BlockedWorker const& blocked) {
  std::string const who = on_worker(blocked.cell, blocked.worker);
  std::string const peer = "worker " + std::to_string(blocked.waits_for);
  if (!blocked.is_sending) return who + " waits for " + cell_text(blocked.needed) + " of " + peer;
  char const* const kind = is_forward(blocked.cell) ? "F" : "B";
  return who + " waits for room on the full edge " + std::to_string(blocked.worker) + " -> " +
         std::to_string(blocked.waits_for) + " (" + kind + ") to " + peer;
}

inline std::string limit_text(Violation const& violation, char const* what) {
  return "worker " + std::to_string(violation.worker) + " holds " + std::to_string(violation.found) + " " +
         what + ", above the limit " + std::to_string(violation.expected);
}

}  // namespace detail

/// What a validator found: convertible to true if it is nothing.
class Validation {
 public:
  constexpr explicit Validation(std::size_t most) : most_(most) {}

  constexpr explicit operator bool() const { return count_ == 0; }
  /// How many violations there are.
  constexpr std::size_t count() const { return count_; }
  constexpr std::size_t count(ViolationCode code) const { return counts_[static_cast<std::uint8_t>(code)]; }
  constexpr bool has(ViolationCode code) const { return count(code) != 0; }
  /// The first of them, as many as were asked for.
  constexpr std::vector<Violation> const& violations() const { return violations_; }
  /// Whether further ones are counted only.
  constexpr bool is_full() const { return violations_.size() >= most_; }
  /// The workers that wait for each other, each for the next, where there is a deadlock.
  constexpr std::vector<BlockedWorker> const& cycle() const { return cycle_; }

  /// "code: what is wrong" for the first `most` violations, and how many more there are.
  std::vector<std::string> text(std::size_t most = SIZE_MAX) const {
    std::vector<std::string> lines;
    for (Violation const& violation : violations_) {
      if (lines.size() == most) break;
      lines.push_back(std::string(name_of(violation.code)) + ": " + text(violation));
    }
    if (count_ > lines.size()) lines.push_back("and " + std::to_string(count_ - lines.size()) + " more");
    return lines;
  }

  constexpr void add(Violation const& violation) {
    ++count_;
    ++counts_[static_cast<std::uint8_t>(violation.code)];
    if (violations_.size() < most_) violations_.push_back(violation);
  }
  constexpr void add(ViolationCode code, std::vector<BlockedWorker> const& cycle) {
    cycle_ = cycle;
    add({code, ViolationKind::cycle});
  }
  /// For violations of which nothing more is known than how many.
  constexpr void add_unnamed(ViolationCode code, std::size_t count) {
    count_ += count;
    counts_[static_cast<std::uint8_t>(code)] += count;
  }

 private:
  std::string text(Violation const& v) const {
    std::string const here = detail::on_worker(v.cell, v.worker);
    auto const worker = [](std::uint32_t index) { return "worker " + std::to_string(index); };
    switch (v.kind) {
      case ViolationKind::cell:
        return cell_text(v.cell) + " is not in the table";
      case ViolationKind::repeated:
        return here + (v.worker == v.other_worker ? " twice" : " and again on " + worker(v.other_worker));
      case ViolationKind::both_backwards:
        return here + " beside " + cell_text(v.other) + "; either B, or I and W, would be right";
      case ViolationKind::two_workers:
        return "stage " + std::to_string(v.cell.stage) + (v.cell.direction == Direction::reverse ? "r" : "") +
               " is on " + worker(v.worker) + " and, with " + cell_text(v.cell) + ", on " +
               worker(v.other_worker);
      case ViolationKind::two_directions:
        return "micro-batch " + std::to_string(v.cell.micro_batch) + " runs in both directions: " + here +
               ", " + detail::on_worker(v.other, v.other_worker) + " (stage " + std::to_string(v.cell.stage) +
               ", stage " + std::to_string(v.other.stage) + ")";
      case ViolationKind::outside:
        return here + " is outside a table of " + std::to_string(v.expected) + " stages and " +
               std::to_string(v.found) + " micro-batches";
      case ViolationKind::before:
        return here + " stands in slot " + std::to_string(v.expected) + ", before " + cell_text(v.other) +
               " in slot " + std::to_string(v.found) + ", which it needs";
      case ViolationKind::not_sent:
        return here + " is missing";
      case ViolationKind::too_early:
        return here + " stands before " + cell_text(v.other);
      case ViolationKind::too_late:
        return here + " stands after " + cell_text(v.other);
      case ViolationKind::no_partner:
        return here + " has no counterpart on another worker";
      case ViolationKind::cycle:
        return cycle_text();
      case ViolationKind::too_old:
        return here + " needs version " + std::to_string(v.expected) + " of its weights, which has " +
               std::to_string(v.found) + " by then; a delay of " + std::to_string(v.right) +
               " updates, with " + std::to_string(v.right + 1) + " versions, would be right";
      case ViolationKind::late:
        return "stage " + std::to_string(v.cell.stage) + " on " + worker(v.worker) + " has a delay of " +
               std::to_string(v.found) + " updates; " + std::to_string(v.expected) + " were declared";
      case ViolationKind::too_many_versions:
        return "stage " + std::to_string(v.cell.stage) + " on " + worker(v.worker) + " has " +
               std::to_string(v.found) + " live versions; " + std::to_string(v.expected) + " were declared";
      case ViolationKind::partial_period:
        return std::to_string(v.found) + " micro-batches are no multiple of the period " +
               std::to_string(v.expected);
      case ViolationKind::activations:
        return detail::limit_text(v, "activations");
      case ViolationKind::weight_versions:
        return detail::limit_text(v, "versions of stages' weights");
      case ViolationKind::bytes:
        return detail::limit_text(v, "bytes");
      case ViolationKind::messages:
        return "the edge from " + worker(v.worker) + " to " + worker(v.other_worker) + " holds " +
               std::to_string(v.found) + " messages, above the limit " + std::to_string(v.expected);
    }
    return {};
  }

  std::string cycle_text() const {
    std::string text;
    for (BlockedWorker const& blocked : cycle_) {
      if (!text.empty()) text += "; ";
      text += detail::text(blocked);
    }
    return text;
  }

  std::size_t most_;
  std::size_t count_ = 0;
  std::size_t counts_[10] = {};
  std::vector<Violation> violations_;
  std::vector<BlockedWorker> cycle_;
};

}  // namespace weir::inline v1
