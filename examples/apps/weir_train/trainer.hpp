#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint_paths.hpp"
#include "configuration.hpp"
#include "dataset.hpp"
#include "epoch_end.hpp"
#include "errors.hpp"
#include "evaluator.hpp"
#include "host_weights.hpp"
#include "make_network.hpp"
#include "rank_sums.hpp"
#include "report.hpp"
#include "run_state.hpp"
#include "weights_hash.hpp"
#include "weir/weir.hpp"

namespace weir_train {

inline weir::BucketPlan make_plan(Configuration const& configuration,
                                  std::vector<std::size_t> const& elements) {
  std::vector<weir::Parameter> parameters;
  for (std::size_t const count : elements) parameters.push_back({.elements = count});
  return weir::BucketPlan::by_bytes(std::move(parameters),
                                    configuration.bucket_bytes.value_or(weir::BucketPlan::default_first_cap),
                                    configuration.bucket_bytes.value_or(weir::BucketPlan::default_cap));
}

inline weir::BucketPlan make_plan(Configuration const& configuration, Network<float> const& network) {
  std::vector<std::size_t> elements;
  for (ParameterInfo const& parameter : network.parameters()) elements.push_back(parameter.elements);
  return make_plan(configuration, elements);
}

/// What all ranks of a run have in common.
struct Run {
  Configuration const& configuration;
  Dataset const& data;
  std::span<weir::Archive const> checkpoints = {};  // to go on from: one for each rank here, or for all
  weir::Recorder* recorder = nullptr;
  /// Called with a failure that other ranks may not share; if it returns, the failure is thrown on.
  std::function<void(std::exception const&)> failed = [](std::exception const&) {};
};

/// Returns what `train()` does; when that fails in a way that other ranks may not share, releases them and
/// tells why before anything is left that they might need.
template <class Communicator, class Train>
Outcome train_or_tell(Run const& run, Communicator const& communicator, Train const& train) {
  try {
    return train();
  } catch (SharedRunError const&) {
    throw;
  } catch (std::exception const& error) {
    communicator.abort();
    run.failed(error);
    throw;
  }
}

/// Trains one rank on a device, `HostDevice` or `CudaDevice`. `Gradients` says how gradients are summed over
/// ranks: `WholeGradients`, `SparsifiedGradients` or `AdaptiveGradients`, which decides on the batch too.
template <class Device, class Gradients, class Communicator>
class Trainer {
 public:
  /// The memory outlives the communicator, which may take some of it.
  Trainer(Run const& run, Communicator const& communicator, typename Device::Memory& memory)
      : run_(run),
        communicator_(communicator),
        memory_(memory),
        network_(make_network(c_, data_.train)),
        plan_(make_plan(c_, network_)),
        weights_(host_weights(network_.elements())),
        device_(c_, network_, data_.train, memory) {
    if (run.checkpoints.empty()) return;
    RunState const saved = RunState::load(checkpoint());
    saved.check(state(0), c_, loaded_path(c_, communicator_.rank()));
    seed_ = saved.seed;
    first_epoch_ = saved.epoch;
  }

  Outcome train() {
    network_.initialise(seed_, weights_);
    weir::from_host(executor_, std::span<float const>(weights_), trained_.view());
    weir::StreamWorkerPool workers{
        executor_, {.workers = c_.workers, .buckets = plan_, .local_batch = c_.batch, .seed = seed_}};
    gradients_.emplace(c_, seed_);
    auto const gradients =
        weir::GradAccumulator{c_.micro_batches} | weir::LocalAggregator{} | gradients_->stages(communicator_);
    if (c_.optimizer == OptimizerKind::adamw) {
      return train(workers, gradients | weir::WeightSync{c_.weight_sync,
                                                         weir::AdamW{{.learning_rate = c_.learning_rate}}});
    }
    return train(workers,
                 gradients | weir::WeightSync{c_.weight_sync, weir::Sgd{{.learning_rate = c_.learning_rate,
                                                                         .momentum = c_.momentum}}});
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Executor = typename Device::Executor;

  template <class Workers, class Recipe>
  Outcome train(Workers& workers, Recipe const& recipe) {
    auto sync = recipe.on(workers, trained_.view(), {.spans = run_.recorder, .rank = communicator_.rank()});
    return train_or_tell(run_, communicator_, [&] {
      if (!run_.checkpoints.empty()) load(sync);
      if constexpr (Gradients::adapts) start_to_adapt(sync);
      train_epochs(workers, sync);
      if (!c_.save.empty()) save(sync);
      return summary();
    });
  }

  template <class Workers, class Sync>
  void train_epochs(Workers& workers, Sync& sync) {
    for (std::size_t epoch = first_epoch_; epoch < c_.epochs; ++epoch) {
      auto const begin = Clock::now();
      weir::permutation<std::uint32_t>(seed_, static_cast<std::uint32_t>(epoch), order_);
      if constexpr (Gradients::adapts) {
        outcome_.steps += gradients_->train_epoch(device_, workers, sync, communicator_, order_, epoch);
      } else {
        device_.train_epoch(workers, sync, order_);
        outcome_.steps += (order_.size() + c_.global_batch() - 1) / c_.global_batch();
      }
      outcome_.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
      end_epoch(epoch, workers);
    }
  }

  template <class Workers>
  void end_epoch(std::size_t epoch, Workers& workers) {
    outcome_.train_loss = sums_.total(device_.take_loss(workers)).mean();
    weights_ = weir::to_host(executor_, trained_.view());
    check_finite(c_, epoch, outcome_.train_loss, weights_);
    if (communicator_.rank() == 0) show_progress(c_, epoch, outcome_.train_loss);
  }

  RunState state(std::size_t epoch) const {
    std::size_t const sparsified_ranks = c_.sparsification ? communicator_.size() : 0;
    return {model_text(c_), optimizer_text(c_), sparsified_ranks, seed_, data_.train.size(), epoch};
  }

  /// That of this rank.
  weir::Archive const& checkpoint() const {
    return run_.checkpoints[run_.checkpoints.size() == 1 ? 0 : communicator_.rank()];
  }

  template <class Sync>
  void load(Sync& sync) {
    try {
      sync.load(checkpoint(), {.strict = false});
    } catch (weir::ArchiveError const& error) {
      refuse_checkpoint(c_, communicator_.rank(), error);
    }
    sync.set_learning_rate(c_.learning_rate);
  }

  template <class Sync>
  void start_to_adapt(Sync& sync) {
    try {
      gradients_->start(run_.checkpoints.empty() ? nullptr : &checkpoint(), data_.train.size(), sync);
    } catch (weir::ArchiveError const& error) {
      refuse_checkpoint(c_, communicator_.rank(), error);
    }
  }

  template <class Sync>
  void save(Sync& sync) {
    weir::Archive archive;
    sync.save(archive);
    state(c_.epochs).save(archive);
    if constexpr (Gradients::adapts) gradients_->save(archive);
    std::size_t const rank = communicator_.rank();
    if (has_checkpoint(c_, rank)) archive.write(checkpoint_path(c_.save, rank));
  }

  Outcome summary() {
    outcome_.name = title(c_);
    outcome_.test_accuracy = Evaluator(network_, data_.test).accuracy(weights_);
    auto const trained = static_cast<double>((c_.epochs - first_epoch_) * data_.train.size());
    outcome_.samples_per_second = trained / outcome_.seconds;
    if (communicator_.size() > 1)
      outcome_.bytes_sent_per_step = gradients_->bytes_per_step(plan_, outcome_.steps);
    outcome_.parameters = network_.elements_of_dense();
    outcome_.nonzero_parameters = network_.live_elements();
    outcome_.peak_bytes = memory_.peak();
    outcome_.weights_hash = weights_hash(weights_);
    sums_.compare_weights(outcome_.weights_hash);
    if constexpr (requires { gradients_->advice(executor_, communicator_, plan_); }) {
      if (communicator_.size() > 1) outcome_.advice = gradients_->advice(executor_, communicator_, plan_);
    }
    return outcome_;
  }

  Run const& run_;
  Configuration const& c_ = run_.configuration;
  Dataset const& data_ = run_.data;
  Communicator communicator_;
  std::optional<Gradients> gradients_;  // when the seed is known
  typename Device::Memory& memory_;

  Network<float> network_;
  weir::BucketPlan plan_;
  std::vector<float> weights_;  // on the host: before the training, and after each epoch
  std::uint64_t seed_ = c_.seed;
  std::size_t first_epoch_ = 0;
  std::vector<std::uint32_t> order_ = std::vector<std::uint32_t>(data_.train.size());
  Outcome outcome_;

  Device device_;
  Executor const& executor_ = device_.executor();
  weir::Buffer<float, Executor> trained_{executor_, network_.elements()};
  RankSums<Executor, Communicator> sums_{executor_, communicator_};
};

template <class Device, class Gradients, class Communicator>
Outcome train_rank(Run const& run, Communicator const& communicator, typename Device::Memory& memory) {
  return train_or_tell(run, communicator, [&] {
    return Trainer<Device, Gradients, Communicator>(run, communicator, memory).train();
  });
}

}  // namespace weir_train
