#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

/// Whether any interleaving of a table's workers comes to an end, by trying all of them. For small tables
/// with every operation there once.
class BruteForce {
 public:
  static constexpr std::size_t no_limit = SIZE_MAX;

  explicit BruteForce(weir::TableView const& table, std::size_t capacity = no_limit) : capacity_(capacity) {
    Homes homes;
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      for (weir::Operation const& operation : table.worker(worker)) homes[key(operation)] = worker;
    }
    steps_.resize(table.workers());
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      auto const row = table.worker(worker);
      for (std::size_t i = 0, end = 0; i < row.size(); i = end) {
        end = i + (row[i].kind == weir::OperationKind::pair ? 2 : 1);
        for (std::size_t k = i; k < end; ++k) take_in(table, homes, worker, row[k]);
        for (std::size_t k = i; k < end; ++k)
          steps_[worker].push_back({Step::compute, key(row[k]), 0, 0, true});
        for (std::size_t k = i; k < end; ++k) hand_on(table, homes, worker, row[k]);
      }
    }
  }

  bool ends() { return search(State(steps_.size(), 0)); }

 private:
  using Id = std::tuple<int, std::uint32_t, std::uint32_t>;
  using Homes = std::map<Id, std::size_t>;
  using State = std::vector<std::size_t>;  // how many steps each worker has done
  struct Step {
    enum Kind { need, receive, compute, send } kind;
    Id id;
    std::size_t from;
    std::size_t to;
    bool is_forward;
  };

  static int kind_of(weir::Operation const& operation) {
    return weir::is_forward(operation) ? 0 : weir::gives_input_gradient(operation) ? 1 : 2;
  }
  static Id key(weir::Operation const& operation) {
    return {kind_of(operation), operation.stage, operation.micro_batch};
  }

  /// What an operation needs: a part of a pair waits for it before either computes.
  void take_in(weir::TableView const& table, Homes const& homes, std::size_t worker,
               weir::Operation const& operation) {
    auto const input = [&](int kind, std::uint32_t stage) {
      Id const id{kind, stage, operation.micro_batch};
      if (homes.at(id) == worker) {
        steps_[worker].push_back({Step::need, id, 0, 0, true});
      } else {
        steps_[worker].push_back({Step::receive, id, homes.at(id), worker, kind == 0});
      }
    };
    int const kind = kind_of(operation);
    if (kind == 0 && operation.stage > 0) input(0, operation.stage - 1u);
    if (kind == 1) input(0, operation.stage);
    if (kind == 1 && operation.stage + 1u < table.stages()) input(1, operation.stage + 1u);
    if (kind == 2) input(1, operation.stage);
  }
  void hand_on(weir::TableView const& table, Homes const& homes, std::size_t worker,
               weir::Operation const& operation) {
    int const kind = kind_of(operation);
    auto const output = [&](std::uint32_t stage) {
      std::size_t const reader = homes.at({kind, stage, operation.micro_batch});
      if (reader != worker) steps_[worker].push_back({Step::send, key(operation), worker, reader, kind == 0});
    };
    if (kind == 0 && operation.stage + 1u < table.stages()) output(operation.stage + 1u);
    if (kind == 1 && operation.stage > 0) output(operation.stage - 1u);
  }

  bool is_done(State const& state, Step::Kind kind, Id const& id) const {
    for (std::size_t worker = 0; worker < steps_.size(); ++worker) {
      for (std::size_t i = 0; i < state[worker]; ++i) {
        if (steps_[worker][i].kind == kind && steps_[worker][i].id == id) return true;
      }
    }
    return false;
  }
  std::size_t on_edge(State const& state, Step const& message) const {
    std::size_t sent = 0;
    std::size_t received = 0;
    for (std::size_t worker = 0; worker < steps_.size(); ++worker) {
      for (std::size_t i = 0; i < state[worker]; ++i) {
        Step const& step = steps_[worker][i];
        if (step.from != message.from || step.to != message.to || step.is_forward != message.is_forward)
          continue;
        sent += step.kind == Step::send ? 1 : 0;
        received += step.kind == Step::receive ? 1 : 0;
      }
    }
    return sent - received;
  }

  bool search(State const& state) {
    if (!seen_.insert(state).second) return false;
    bool is_end = true;
    for (std::size_t worker = 0; worker < steps_.size(); ++worker) {
      if (state[worker] == steps_[worker].size()) continue;
      is_end = false;
      Step const& step = steps_[worker][state[worker]];
      State next = state;
      ++next[worker];
      bool can = true;
      if (step.kind == Step::need) can = is_done(state, Step::compute, step.id);
      if (step.kind == Step::receive) can = capacity_ != 0 && is_done(state, Step::send, step.id);
      if (step.kind == Step::send && capacity_ == 0) {  // both at once
        std::size_t const peer = step.to;
        can = state[peer] < steps_[peer].size() && steps_[peer][state[peer]].kind == Step::receive &&
              steps_[peer][state[peer]].id == step.id;
        ++next[peer];
      } else if (step.kind == Step::send) {
        can = on_edge(state, step) < capacity_;
      }
      if (can && search(next)) return true;
    }
    return is_end;
  }

  std::size_t capacity_;
  std::vector<std::vector<Step>> steps_;
  std::set<State> seen_;
};
