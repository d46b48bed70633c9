#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>

#include "adaptive_batch.hpp"
#include "configuration.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/plan/measure_noise.hpp"
#include "weir/state/archive.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir_train {

/// Sums whole gradients over ranks, measures their noise, and lets the batch follow it.
class AdaptiveGradients {
 public:
  static constexpr bool adapts = true;

  AdaptiveGradients(Configuration const& configuration, std::uint64_t) : c_(configuration) {}

  /// From a dense gradient to the sum over the ranks.
  template <class Communicator>
  auto stages(Communicator const& communicator) {
    return weir::MeasureNoise{weir::AllReduce{communicator}, communicator};
  }

  /// What this rank has given, on average.
  std::size_t bytes_per_step(weir::BucketPlan const& plan, std::size_t steps) const {
    return plan.elements() * sizeof(float) + (measured_ * sizeof(double) + steps / 2) / steps;
  }

  void save(weir::Archive& archive) const { batch_->save(archive); }

  /// Takes back what a checkpoint says, or starts. Errors: `ArchiveError`.
  template <class Sync>
  void start(weir::Archive const* archive, std::size_t samples, Sync& sync) {
    batch_.emplace(c_, samples);
    if (archive == nullptr) return;
    batch_->load(*archive);
    apply(sync);
  }

  /// Runs the steps of an epoch, as a device does, and returns how many.
  template <class Device, class Workers, class Sync, class Communicator>
  std::size_t train_epoch(Device& device, Workers& workers, Sync& sync, Communicator const& communicator,
                          std::span<std::uint32_t const> order, std::size_t epoch) {
    using Measured = decltype(stages(communicator));
    std::size_t steps = 0;
    for (std::size_t begin = 0; begin < order.size(); ++steps) {
      std::size_t const global_batch = batch_->global_batch();
      auto const samples = order.subspan(begin, std::min(global_batch, order.size() - begin));
      begin += samples.size();
      device.step(workers, sync, samples);
      sync.wait();
      std::optional<weir::NoiseMeasurement> measurement;
      if (samples.size() == global_batch) measurement = sync.template stage<Measured>().measurement();
      measured_ += measurement ? 1 : 0;
      if (!batch_->add(measurement)) continue;
      device.keep_loss(workers);
      apply(sync);
      if (communicator.rank() == 0) report(epoch, sync.steps(), global_batch);
    }
    device.executor().synchronize();
    return steps;
  }

 private:
  template <class Sync>
  void apply(Sync& sync) const {
    sync.resize(batch_->layout());
    sync.settle();  // the end of an epoch has sums of its own
    sync.set_learning_rate(batch_->learning_rate());
  }

  void report(std::size_t epoch, std::uint64_t steps, std::size_t before) const {
    weir::WorkLayout const& layout = batch_->layout();
    std::fprintf(
        stderr,
        "%s: epoch %zu, step %llu: noise scale %.0f at a batch of %zu; from now on %zu, as %s x %s on %s, "
        "with learning rate %g\n",
        title(c_).c_str(), epoch + 1, static_cast<unsigned long long>(steps), *batch_->noise(), before,
        batch_->global_batch(), counted(layout.workers, "worker").c_str(),
        counted(layout.micro_batches, "micro-batch").c_str(), counted(c_.ranks, "rank").c_str(),
        batch_->learning_rate());
  }

  Configuration const& c_;
  std::optional<AdaptiveBatch> batch_;  // when the training starts
  std::size_t measured_ = 0;            // steps
};

}  // namespace weir_train
