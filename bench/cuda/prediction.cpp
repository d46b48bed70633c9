// Predicted against measured step times on one GPU: the library profiles a model with 1, 2 and 4 workers,
// plans global batches for it, and what was planned is run. Goal: the prediction is within 10 %.
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "support/gpu_timing.hpp"
#include "support/gpu_training.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/plan/recipe_step.hpp"
#include "weir/plan/solve.hpp"

namespace {

constexpr double goal = 0.9;
constexpr std::size_t most_workers = 4;
constexpr std::size_t buckets = 4;
constexpr std::size_t bucket_elements = std::size_t{1} << 20;

/// Kernels that compute for about 0.1 ms each: one for each bucket forward, two backward.
struct BusyModel {
  static constexpr unsigned rounds = 20'000;

  unsigned blocks;

  template <class Micro>
  void operator()(Micro& micro, weir::StepPart part = weir::StepPart::backward) const {
    if (part == weir::StepPart::data) return;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) launch(micro, bucket);
    if (part == weir::StepPart::forward) return;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      launch(micro, bucket);
      launch(micro, bucket);
      if (!micro.accumulate()) set_zero(micro.executor(), micro.bucket_gradient(bucket));
      micro.ready(bucket);
    }
  }

  template <class Micro>
  void launch(Micro& micro, std::size_t bucket) const {
    bench::launch_busy(micro.executor().stream(), blocks, rounds, micro.bucket_gradient(bucket).data());
  }
};

weir::BucketPlan bucket_plan() {
  return weir::BucketPlan::per_parameter(
      std::vector<weir::Parameter>(buckets, {.elements = bucket_elements}));
}

/// k workers over random weights, that train as `update` says.
template <class Update>
struct Training {
  Training(weir::CudaExecutor const& executor, Update const& update)
      : pool(executor, {.buckets = bucket_plan()}),
        weights(executor, buckets * bucket_elements),
        sync((weir::LocalAggregator{} | update).on(pool, weights.view())) {
    bench::fill_random(executor.stream(), weights.data(), weights.size(), 1);
    sync.settle();
  }

  bench::Pool pool;
  weir::Buffer<float, weir::CudaExecutor> weights;
  decltype((weir::LocalAggregator{} | std::declval<Update>()).on(pool, weights.view())) sync;
};

weir::Sgd sgd() {
  return weir::Sgd{{.learning_rate = 1e-3, .momentum = 0.9}};
}

weir::Profile measure(weir::CudaExecutor const& executor, BusyModel const& model) {
  Training training(executor, weir::WeightSync{weir::WeightPolicy::sequential, sgd()});
  weir::RecipeStep step(training.pool, training.sync, bench::Batch{most_workers}, model);
  weir::Profile profile{.rounding = weir::ProfileRounding::none};
  weir::BucketPlan const plan = bucket_plan();
  for (std::size_t bucket = 0; bucket < plan.size(); ++bucket)
    profile.buckets_mib.push_back(static_cast<double>(plan[bucket].bytes()) / 1048576);
  profile.devices = {{"GPU", {weir::profile_step(step, {.most_workers = most_workers})}}};
  profile.cluster = {{"this machine", "GPU", 1, weir::not_measured, weir::not_measured}};
  return profile;
}

bench::Timing time_steps(weir::CudaExecutor const& executor, BusyModel const& model,
                         weir::WorkLayout const& layout) {
  Training training(executor, sgd());
  training.sync.resize(layout);
  training.sync.settle();
  bench::Batch const batch{layout.workers * layout.micro_batches};
  auto const timings = bench::time_in_turns(
      executor.stream(), {{"step", [&](std::size_t) { training.sync(training.pool(batch, model)); }}});
  training.sync.wait();
  return timings.front();
}

void predict(bench::Report& report, char const* name, unsigned blocks) {
  weir::CudaExecutor const executor;
  BusyModel const model{blocks};
  weir::TimeModel const time(measure(executor, model));
  for (std::size_t const global_batch : {4u, 8u, 16u}) {
    weir::Plan const plan =
        solve(time, {.global_batch = global_batch, .weight_sync = weir::WeightPolicy::shared});
    weir::WorkLayout const& layout = plan.ranks.front();
    bench::Timing const timing = time_steps(executor, model, layout);
    double const predicted = 1e6 * plan.seconds_per_step;
    report.add({.measured = name,
                .what = std::to_string(layout.workers) + " workers x " + std::to_string(layout.micro_batches),
                .timing = timing,
                .roof = "predicted",
                .roof_value = predicted,
                .ratio = 1 - std::abs(predicted / timing.median - 1),
                .goal = bench::Goal::ratio_at_least(goal)});
  }
}

void small_kernels(bench::Report& report) {
  predict(report, "prediction, kernels of a quarter of the GPU", bench::multiprocessors() / most_workers);
}

void large_kernels(bench::Report& report) {
  predict(report, "prediction, kernels that fill the GPU", 2 * bench::multiprocessors());
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(
      count, arguments,
      {{"kernels of a quarter of the GPU", small_kernels}, {"kernels that fill the GPU", large_kernels}});
}
