#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/exec/step_clock.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// Which update a pipeline is at, where its stages can read it: in the memory of each place that workers of
/// this process are at. On a device only.
///
/// Streams: what is called takes effect where `home` is, wherever the clock lies.
template <Executor E>
class PipelineClocks {
 public:
  /// `executor_of(worker)`: of the device that a worker is on.
  template <class ExecutorOf>
  PipelineClocks(E const& home, LaneMap const& lanes, ExecutorOf const& executor_of) : home_(home) {
    if constexpr (!HostOrderedExecutor<E>) {
      for (std::uint32_t worker = 0; worker < lanes.places().size(); ++worker) {
        if (lanes.has_worker(worker)) add(lanes.places()[worker], executor_of(worker));
      }
      called_.push_back(home.make_event());
    }
  }

  /// Begins an update.
  void advance() {
    for_each([](E const& executor, StepClock* clock) { apply_scalars(executor, AdvanceStepClock{clock}); });
  }
  /// Sets the number of the update that begins next.
  void set(std::uint64_t next) {
    for_each([next](E const& executor, StepClock* clock) {
      apply_scalars(executor, SetStepClock{clock, next});
    });
  }

  std::size_t workspace_bytes() const { return clocks_.size() * sizeof(StepClock); }

  /// Null on a host.
  StepClock const* at(std::size_t place) const {
    for (Clock const& clock : clocks_) {
      if (clock.place == place) return clock.memory.data();
    }
    return nullptr;
  }

 private:
  struct Clock {
    std::size_t place;
    bool is_elsewhere;
    E executor;
    Buffer<StepClock, E> memory;
    typename E::event_type done;
  };

  void add(std::size_t place, E const& device) {
    if (at(place) != nullptr) return;
    bool const is_elsewhere = &device != &home_;
    clocks_.push_back({place, is_elsewhere, is_elsewhere ? device.fork() : home_,
                       Buffer<StepClock, E>(device, 1), device.make_event()});
  }

  template <class Function>
  void for_each(Function const& f) {
    if constexpr (!HostOrderedExecutor<E>) {
      home_.record(called_[0]);
      for (Clock const& clock : clocks_) {
        if (clock.is_elsewhere) clock.executor.wait(called_[0]);
        f(clock.executor, clock.memory.data());
        if (!clock.is_elsewhere) continue;
        clock.executor.record(clock.done);
        home_.wait(clock.done);
      }
    }
  }

  E const& home_;
  std::vector<typename E::event_type> called_;  // one
  std::vector<Clock> clocks_;
};

}  // namespace weir::inline v1::detail
