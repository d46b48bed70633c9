#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "weir/exec/host_copy.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/plan/recipe_step.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/stream_worker_pool.hpp"
#include "weir_train/digits.hpp"
#include "weir_train/mlp.hpp"

namespace weir_plan {

/// What is measured: a perceptron on the bundled digits.
struct BuiltIn {
  static constexpr std::size_t hidden[] = {128, 128};
  static constexpr std::size_t local_batches[] = {16, 32, 64};

  weir_train::Dataset data = weir_train::Digits::load(WEIR_EXAMPLE_DATA_DIR "/digits.csv");
  weir_train::Network<float> network = weir_train::mlp<float>(data.train.shape, hidden, data.train.classes);

  weir::BucketPlan plan() const {
    std::vector<weir::Parameter> parameters;
    for (auto const& parameter : network.parameters()) parameters.push_back({.elements = parameter.elements});
    return weir::BucketPlan::by_bytes(std::move(parameters));
  }

  /// A profile that has everything but devices.
  weir::Profile profile() const {
    weir::Profile profile{.model = "mlp 64-128-128-10 on digits", .rounding = weir::ProfileRounding::none};
    weir::BucketPlan const buckets = plan();
    for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket)
      profile.buckets_mib.push_back(static_cast<double>(buckets[bucket].bytes()) / 1048576);
    return profile;
  }
};

/// Measures the model with up to so many workers as samples suffice for.
template <class Executor, class Batch, class Model>
weir::LocalBatchProfile measure_step(BuiltIn const& built_in, Executor const& executor, Batch samples,
                                     std::size_t local_batch, std::uint64_t seed, Model& model) {
  std::vector<float> initial(built_in.network.elements());
  built_in.network.initialise(seed, initial);
  weir::Buffer<float, Executor> weights(executor, initial.size());
  weir::from_host(executor, std::span<float const>(initial), weights.view());
  weir::StreamWorkerPool workers{
      executor, {.workers = 1, .buckets = built_in.plan(), .local_batch = local_batch, .seed = seed}};
  auto const recipe =
      weir::LocalAggregator{} |
      weir::WeightSync{weir::WeightPolicy::sequential, weir::Sgd{{.learning_rate = 0.01, .momentum = 0.9}}};
  auto sync = recipe.on(workers, weights.view());
  weir::RecipeStep step(workers, sync, samples, model);
  return weir::profile_step(step, {.local_batch = local_batch, .most_workers = samples.size() / local_batch});
}

}  // namespace weir_plan
