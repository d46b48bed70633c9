#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/gradient_times.hpp"
#include "weir/pipeline/message_map.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/skip_edge.hpp"
#include "weir/pipeline/tick_costs.hpp"

namespace weir::inline v1 {

/// An edge between workers that takes any number of messages.
inline constexpr std::uint32_t unlimited_capacity = UINT32_MAX;

namespace detail {

/// Why a worker does not go on.
enum class Blocked : std::uint8_t { no, finished, receiving, sending, reducing };

/// Runs a table as its workers would: each in order, waiting for what its operations need. On edges of a
/// limited capacity sends wait too. Ends when nothing can go on, which is the end of the table or a deadlock.
///
/// The table has none of: duplicate, placement, order; where an operation is missing, what needs it waits for
/// ever.
class TableRun {
 public:
  struct Worker {
    std::size_t next = 0;  // position of the operation that it is at
    std::int64_t time = 0;
    std::int64_t busy = 0;
    std::int64_t first_start = not_yet;
    std::int64_t last_end = 0;
    std::uint32_t exchange = 0;  // links of the operation that were received from, then of those sent to
    bool has_computed = false;   // the operation
    Blocked blocked = Blocked::no;
    std::uint32_t waits_for = 0;  // a worker
    std::uint32_t message = 0;    // that it waits for, or cannot send
    bool is_queued = false;
  };

  static constexpr std::int64_t not_yet = -1;

  constexpr TableRun(TableView const& table, OperationIndex const& index, TickCosts const& costs,
                     std::uint32_t capacity = unlimited_capacity, std::span<SkipEdge const> skips = {})
      : table_(table),
        operations_(table.operations().data()),
        messages_(table, index, skips),
        links_(messages_.links()),
        costs_(costs),
        capacity_(capacity),
        has_reductions_(!costs.reduce.empty()),
        workers_(table.workers()) {
    start_.assign(table.operations().size(), not_yet);
    end_.assign(table.operations().size(), not_yet);
    sent_.assign(messages_.count(), not_yet);
    if (is_bounded()) edges_of_.resize(table.workers());
    if (has_reductions_) gradients_ = GradientTimes(table);
    run();
  }

  constexpr bool is_complete() const {
    for (Worker const& worker : workers_) {
      if (worker.blocked != Blocked::finished) return false;
    }
    return true;
  }
  constexpr std::vector<Worker> const& workers() const { return workers_; }
  /// When each operation began and ended to compute; a pair's two are the same.
  constexpr std::vector<std::int64_t> const& start() const { return start_; }
  constexpr std::vector<std::int64_t> const& end() const { return end_; }
  /// The operation whose output a message is.
  constexpr std::size_t producer_of(std::uint32_t message) const { return messages_.producer_of(message); }
  /// The operation that a worker which has not finished is at; of a pair the part.
  constexpr Operation const& operation_of(Worker const& worker) const {
    return operations_[worker.next + worker.exchange / links_];
  }

 private:
  struct Edge {
    std::uint32_t to = 0;
    bool is_forward = false;
    std::uint32_t sent = 0;
    std::vector<std::int64_t> received = {};  // when
  };

  constexpr bool is_bounded() const { return capacity_ != unlimited_capacity; }

  constexpr void run() {
    std::vector<std::uint32_t> ready;
    for (std::uint32_t worker = table_.workers(); worker-- > 0;) {
      workers_[worker].next = table_.begin_of(worker);
      wake(worker, ready);
    }
    while (!ready.empty()) {
      std::uint32_t const worker = ready.back();
      ready.pop_back();
      workers_[worker].is_queued = false;
      advance(worker, ready);
    }
  }

  constexpr void wake(std::uint32_t worker, std::vector<std::uint32_t>& ready) {
    if (workers_[worker].is_queued || workers_[worker].blocked == Blocked::finished) return;
    workers_[worker].is_queued = true;
    ready.push_back(worker);
  }

  /// Until the worker is blocked.
  constexpr void advance(std::uint32_t index, std::vector<std::uint32_t>& ready) {
    Worker& worker = workers_[index];
    std::size_t const last = table_.begin_of(index + std::size_t{1});
    worker.blocked = Blocked::no;
    while (worker.next < last) {
      bool const is_pair = operations_[worker.next].kind == OperationKind::pair && worker.next + 1 < last;
      std::uint32_t const parts = is_pair ? 2 : 1;
      if (!worker.has_computed) {
        if (!receive(index, parts, ready)) return;
        compute(worker, parts);
      }
      if (!send(index, parts, ready)) return;
      worker.next += parts;
      worker.has_computed = false;
    }
    worker.blocked = Blocked::finished;
  }

  constexpr bool receive(std::uint32_t index, std::uint32_t parts, std::vector<std::uint32_t>& ready) {
    Worker& worker = workers_[index];
    for (; worker.exchange < parts * links_; ++worker.exchange) {
      Operation const& operation = operation_of(worker);
      std::uint32_t const link = worker.exchange % links_;
      if (has_reductions_ && link == 0 && !await_version(worker, operation)) return false;
      Message const in = messages_.input(operation, index, link);
      if (in.id == Message::none) continue;
      if (in.id == Message::lost || sent_[in.id] == not_yet) {
        block(worker, Blocked::receiving, in);
        if (capacity_ == 0) wake(in.peer, ready);  // whose send may wait for this
        return false;
      }
      std::int64_t const arrival = checked_tick_sum(sent_[in.id], costs_.latency);
      if (worker.time < arrival) worker.time = arrival;
      if (is_bounded()) {
        edge(in.peer, index, is_forward(operation)).received.push_back(worker.time);
        if (workers_[in.peer].blocked == Blocked::sending) wake(in.peer, ready);
      }
    }
    worker.exchange = 0;
    return true;
  }

  static constexpr void block(Worker& worker, Blocked why, Message const& message) {
    worker.blocked = why;
    worker.waits_for = message.peer;
    worker.message = message.id;
  }

  /// Reductions run beside everything else: from the last weight gradient of a period to the first forward
  /// that reads the version it makes.
  constexpr bool await_version(Worker& worker, Operation const& operation) const {
    if (!is_forward(operation) || operation.version == 0) return true;
    std::int64_t const complete = gradients_.complete(operation.stage, operation.version);
    if (complete == GradientTimes::not_yet) {
      worker.blocked = Blocked::reducing;
      return false;
    }
    std::int64_t const reduced = checked_tick_sum(complete, costs_.reduce[operation.stage]);
    if (worker.time < reduced) worker.time = reduced;
    return true;
  }

  constexpr void compute(Worker& worker, std::uint32_t parts) {
    Operation const& first = operations_[worker.next];
    std::int64_t const cost =
        parts == 2 ? costs_.of_pair(first, operations_[worker.next + 1]) : costs_.of(first);
    std::int64_t const start = worker.time;
    worker.time = checked_tick_sum(worker.time, cost);
    worker.busy += cost;
    worker.last_end = worker.time;
    if (worker.first_start == not_yet) worker.first_start = start;
    for (std::uint32_t part = 0; part < parts; ++part) {
      start_[worker.next + part] = start;
      end_[worker.next + part] = worker.time;
      if (has_reductions_) gradients_.note(operations_[worker.next + part], worker.time);
    }
    worker.has_computed = true;
  }

  constexpr bool send(std::uint32_t index, std::uint32_t parts, std::vector<std::uint32_t>& ready) {
    Worker& worker = workers_[index];
    for (; worker.exchange < parts * links_; ++worker.exchange) {
      std::size_t const position = worker.next + worker.exchange / links_;
      Operation const& operation = operations_[position];
      Message const out = messages_.output(operation, position, index, worker.exchange % links_);
      if (out.id == Message::none) continue;
      if (is_bounded() && !claim_slot(worker, edge(index, out.peer, is_forward(operation)), out)) {
        block(worker, Blocked::sending, out);
        return false;
      }
      sent_[out.id] = worker.time;
      if (workers_[out.peer].blocked == Blocked::receiving) wake(out.peer, ready);
    }
    worker.exchange = 0;
    return true;
  }

  /// Whether a send completes, and when: as soon as a slot is free or, where there is none at all, as the
  /// receiver stands at that very message.
  constexpr bool claim_slot(Worker& worker, Edge& to, Message const& out) {
    std::int64_t free = 0;
    if (capacity_ == 0) {
      Worker const& peer = workers_[out.peer];
      if (peer.blocked != Blocked::receiving || peer.message != out.id) return false;
      free = peer.time;
    } else if (to.sent >= capacity_) {
      if (to.received.size() <= to.sent - capacity_) return false;
      free = to.received[to.sent - capacity_];
    }
    if (worker.time < free) worker.time = free;
    ++to.sent;
    return true;
  }

  constexpr Edge& edge(std::uint32_t from, std::uint32_t to, bool ahead) {
    for (Edge& candidate : edges_of_[from]) {
      if (candidate.to == to && candidate.is_forward == ahead) return candidate;
    }
    edges_of_[from].push_back({to, ahead});
    return edges_of_[from].back();
  }

  TableView table_;
  Operation const* operations_;
  MessageMap messages_;
  std::uint32_t links_;
  TickCosts const& costs_;
  std::uint32_t capacity_;
  bool has_reductions_;
  GradientTimes gradients_;
  std::vector<Worker> workers_;
  std::vector<std::int64_t> start_;
  std::vector<std::int64_t> end_;
  std::vector<std::int64_t> sent_;  // each message, when
  std::vector<std::vector<Edge>> edges_of_;
};

}  // namespace detail

}  // namespace weir::inline v1
