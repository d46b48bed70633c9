#pragma once

#include <cstddef>
#include <exception>

#include "weir/exec/step_clock.hpp"
#include "weir/stage/form.hpp"

namespace weir::inline v1 {

class SpanSink;

/// What a source reports to while its workers run; the bound recipe implements it.
template <Executor E, class Real = float>
class GradientSink {
 public:
  /// The weights that this worker is to read.
  virtual ViewOn<Real const, E> weights(std::size_t worker, std::size_t parameter) const = 0;

  /// The factor by which a loss-scaling stage wants losses multiplied, in the executor's memory, or null.
  virtual double const* loss_scale() const = 0;

  /// The number of the step in the executor's memory; null on a host, where every step is told its number.
  virtual StepClock const* clock() const noexcept = 0;

  /// The worker's bucket has its final value for this micro-batch and its parameters have been read for the
  /// last time.
  virtual void ready(WorkerGradient<E> const& gradient) = 0;

  /// The worker has nothing more to enqueue in this step.
  virtual void finished(E const& point, std::size_t worker, StepInfo const& step) = 0;

  virtual void failed(std::size_t worker, std::exception_ptr failure) noexcept = 0;
  virtual bool has_failed() const noexcept = 0;

  /// Where to report what ran when, or null.
  virtual SpanSink* spans() const noexcept = 0;
  virtual std::size_t rank() const noexcept = 0;

 protected:
  ~GradientSink() = default;
};

}  // namespace weir::inline v1
