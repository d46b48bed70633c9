#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/issue_order.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/skip_edge.hpp"
#include "weir/pipeline/stage_bytes.hpp"
#include "weir/pipeline/transfer_order.hpp"

namespace weir::inline v1::detail {

/// One operation of a worker, with all that can be known of it before a run.
///
/// A lane is one copy of one stage: the stage's number, plus that of stages in the reverse direction. What a
/// lane holds of a micro-batch under way is a record; its activations are in a place of their own, which
/// stages that recompute hold for a shorter time, and which is of the next lane of the worker then.
struct PipelineStep {
  Operation operation;
  std::uint32_t position = 0;  // in the table
  std::uint32_t lane = 0;
  std::uint32_t record = 0;
  std::size_t place = 0;  // of the activations, in bytes from the first of the worker
};

/// Numbers of things that come and go: the smallest free one is given next.
class FreeNumbers {
 public:
  std::uint32_t take() {
    for (std::uint32_t number = 0; number < is_taken_.size(); ++number) {
      if (is_taken_[number] == 0) {
        is_taken_[number] = 1;
        return number;
      }
    }
    is_taken_.push_back(1);
    return static_cast<std::uint32_t>(is_taken_.size() - 1);
  }
  void give_back(std::uint32_t number) { is_taken_[number] = 0; }
  std::uint32_t most() const { return static_cast<std::uint32_t>(is_taken_.size()); }

 private:
  std::vector<std::uint8_t> is_taken_;
};

/// Pieces of a memory that come and go: the next one is put into the smallest gap that has room for it. Those
/// of one size leave none, so that at most as many bytes lie before the end of the last as were taken at a
/// time.
class FreeBytes {
 public:
  /// Where it begins. `bytes` is not 0.
  std::size_t take(std::size_t bytes) {
    std::size_t best = taken_.size();
    std::size_t least = SIZE_MAX;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      std::size_t const gap = taken_[i].begin - end_before(i);
      if (gap < bytes || gap >= least) continue;
      best = i;
      least = gap;
    }
    std::size_t const begin = end_before(best);
    taken_.insert(taken_.begin() + static_cast<std::ptrdiff_t>(best), {begin, begin + bytes});
    if (begin + bytes > most_) most_ = begin + bytes;
    return begin;
  }
  void give_back(std::size_t begin) {
    std::size_t i = 0;
    while (taken_[i].begin != begin) ++i;
    taken_.erase(taken_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::size_t most() const { return most_; }

 private:
  struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  std::size_t end_before(std::size_t piece) const { return piece == 0 ? 0 : taken_[piece - 1].end; }

  std::vector<Piece> taken_;  // ascending
  std::size_t most_ = 0;
};

/// Which worker each lane is on; `nowhere` for a copy of a stage that the table does not have.
class LaneMap {
 public:
  static constexpr std::uint32_t nowhere = UINT32_MAX;

  /// `is_here`, by worker: whether it is one of this process. Empty: all are. `places`, by worker: of those
  /// that share their memory. Empty: all do.
  explicit LaneMap(TableView const& table, std::vector<std::uint8_t> is_here = {},
                   std::vector<std::size_t> places = {})
      : stages_(table.stages()), is_here_(std::move(is_here)), places_(std::move(places)) {
    if (is_here_.empty()) is_here_.assign(table.workers(), 1);
    if (places_.empty()) places_.assign(table.workers(), 0);
    for (Operation const& operation : table.operations()) {
      if (operation.direction == Direction::reverse) directions_ = 2;
    }
    workers_.assign(std::size_t{directions_} * stages_, nowhere);
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      for (Operation const& operation : table.worker(worker)) workers_[lane(operation)] = worker;
    }
  }

  std::uint32_t stages() const { return stages_; }
  std::uint32_t directions() const { return directions_; }
  std::uint32_t lanes() const { return directions_ * stages_; }
  std::uint32_t lane(Operation const& operation) const {
    return (operation.direction == Direction::reverse ? stages_ : 0u) + operation.stage;
  }
  std::uint32_t lane(std::uint32_t direction, std::uint32_t stage) const {
    return direction * stages_ + stage;
  }
  std::uint32_t stage(std::uint32_t lane) const { return lane % stages_; }
  std::uint32_t direction(std::uint32_t lane) const { return lane / stages_; }
  std::uint32_t worker(std::uint32_t lane) const { return workers_[lane]; }
  bool has(std::uint32_t lane) const { return workers_[lane] != nowhere; }
  bool is_here(std::uint32_t lane) const { return has(lane) && has_worker(workers_[lane]); }
  bool has_worker(std::uint32_t worker) const { return is_here_[worker] != 0; }
  bool is_local(std::uint32_t from, std::uint32_t to) const { return workers_[from] == workers_[to]; }
  std::vector<std::size_t> const& places() const { return places_; }
  bool shares_memory(std::uint32_t from, std::uint32_t to) const {
    return places_[workers_[from]] == places_[workers_[to]];
  }

 private:
  std::uint32_t stages_;
  std::uint32_t directions_ = 1;
  std::vector<std::uint32_t> workers_;
  std::vector<std::uint8_t> is_here_;
  std::vector<std::size_t> places_;
};

/// What the workers do in a run, ready to be interpreted.
class PipelineProgram {
 public:
  /// `table` has its updates and recomputations already. `is_issued`: one thread does what all workers do.
  /// `activations`, by lane: bytes of one micro-batch. Empty: 1 each.
  PipelineProgram(ScheduleTable table, LaneMap const& lanes, std::span<SkipEdge const> skips,
                  Recompute recompute, bool is_issued = false, std::vector<std::size_t> activations = {})
      : table_(std::move(table)), records_(lanes.lanes()), places_(table_.view().workers()) {
    if (activations.empty()) activations.assign(lanes.lanes(), 1);
    if (is_issued) {
      issue_order_ = IssueOrder(table_.view(), skips);
      transfers_ = TransferOrder(table_.view(), issue_order_, lanes.places(), skips);
    }
    Walk walk{lanes, skips, recompute, table_.view(), activations, *this};
    for (std::uint32_t worker = 0; worker < table_.view().workers(); ++worker) {
      workers_.emplace_back();
      walk.worker(worker, workers_.back());
    }
  }

  TableView table() const { return table_.view(); }
  std::vector<PipelineStep> const& worker(std::size_t index) const { return workers_[index]; }
  /// Empty where each worker has a thread.
  IssueOrder const& issue_order() const { return issue_order_; }
  TransferOrder const& transfers() const { return transfers_; }
  std::uint32_t records(std::size_t lane) const { return records_[lane].most(); }
  /// Bytes for the activations of all lanes of a worker.
  std::size_t places(std::size_t worker) const { return places_[worker].most(); }
  /// Where a lane holds what came for a micro-batch.
  std::uint32_t record(std::size_t lane, std::size_t micro_batch) const {
    return record_of_[lane * table_.properties().micro_batches + micro_batch];
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Walk {
    Walk(LaneMap const& lane_map, std::span<SkipEdge const> skip_edges, Recompute policy,
         TableView const& view, std::vector<std::size_t> const& activation_bytes, PipelineProgram& owner)
        : lanes(lane_map),
          skips(skip_edges),
          recompute(policy),
          table(view),
          activations(activation_bytes),
          program(owner),
          place_of(std::size_t{lane_map.lanes()} * view.micro_batches(), 0) {
      owner.record_of_.assign(place_of.size(), none);
      for (Operation const& operation : view.operations()) {
        if (gives_weight_gradient(operation)) has_backwards = true;
      }
    }

    void worker(std::uint32_t index, std::vector<PipelineStep>& steps) {
      std::size_t position = table.begin_of(index);
      for (Operation const& operation : table.worker(index)) {
        PipelineStep step{operation, static_cast<std::uint32_t>(position++), lanes.lane(operation)};
        if (is_forward(operation)) forward(step);
        if (operation.kind == OperationKind::recompute) {
          step.record = record(step.lane, operation.micro_batch);
          step.place = take_place(step.lane, operation.micro_batch);
        }
        if (gives_input_gradient(operation) || gives_weight_gradient(operation)) backward(step);
        steps.push_back(step);
      }
    }

    void forward(PipelineStep& step) {
      std::uint32_t const j = step.operation.micro_batch;
      std::uint32_t const stage = step.operation.stage;
      step.record = record(step.lane, j);
      step.place = take_place(step.lane, j);
      if (stage + 1 < lanes.stages() && lanes.is_local(step.lane, step.lane + 1)) record(step.lane + 1, j);
      for (SkipEdge const& skip : skips) {
        std::uint32_t const to = step.lane - stage + skip.to;
        if (skip.from == stage && lanes.is_local(step.lane, to)) record(to, j);
      }
      if (recomputes(recompute, stage, lanes.stages()) || !has_backwards) release_place(step.lane, j);
      if (!has_backwards) release_record(step.lane, j);
    }

    void backward(PipelineStep& step) {
      std::uint32_t const j = step.operation.micro_batch;
      step.record = record(step.lane, j);
      step.place = place_of[cell(step.lane, j)];
      if (!gives_weight_gradient(step.operation)) return;
      release_place(step.lane, j);
      release_record(step.lane, j);
    }

    std::size_t cell(std::uint32_t lane, std::uint32_t j) const {
      return std::size_t{lane} * table.micro_batches() + j;
    }
    std::uint32_t record(std::uint32_t lane, std::uint32_t j) {
      std::uint32_t& number = program.record_of_[cell(lane, j)];
      if (number == none) number = program.records_[lane].take();
      return number;
    }
    void release_record(std::uint32_t lane, std::uint32_t j) {
      program.records_[lane].give_back(program.record_of_[cell(lane, j)]);
    }
    std::size_t take_place(std::uint32_t lane, std::uint32_t j) {
      if (activations[lane] == 0) return 0;
      return place_of[cell(lane, j)] = program.places_[lanes.worker(lane)].take(activations[lane]);
    }
    void release_place(std::uint32_t lane, std::uint32_t j) {
      if (activations[lane] != 0) program.places_[lanes.worker(lane)].give_back(place_of[cell(lane, j)]);
    }

    LaneMap const& lanes;
    std::span<SkipEdge const> skips;
    Recompute recompute;
    TableView table;
    std::vector<std::size_t> const& activations;
    PipelineProgram& program;
    std::vector<std::size_t> place_of;  // by lane and micro-batch
    bool has_backwards = false;
  };

  ScheduleTable table_;
  IssueOrder issue_order_;
  TransferOrder transfers_;
  std::vector<FreeNumbers> records_;      // by lane
  std::vector<FreeBytes> places_;         // by worker
  std::vector<std::uint32_t> record_of_;  // by lane and micro-batch
  std::vector<std::vector<PipelineStep>> workers_;
};

}  // namespace weir::inline v1::detail
