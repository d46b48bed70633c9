// The step time that a plan for this device predicts from a profile measured on it, beside the measured one,
// for the workers and micro-batches that the plan chooses. Goal: within 10 %.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/gpu_timing.hpp"
#include "support/gpu_training.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/plan/recipe_step.hpp"
#include "weir/plan/solve.hpp"

namespace {

constexpr double goal = 0.9;
constexpr std::size_t local_batch = 8;
constexpr std::size_t most_workers = 8;
constexpr std::size_t buckets = 4;
constexpr std::size_t bucket_elements = std::size_t{1} << 18;
constexpr std::size_t rounds = 5;
constexpr std::size_t steps = 20;

/// Kernels that compute for about 0.1 ms each, one forward for every two backward.
struct BusyModel {
  unsigned blocks;

  template <class Micro>
  void operator()(Micro& micro, weir::StepPart part = weir::StepPart::backward) const {
    constexpr unsigned turns = 20'000;
    cudaStream_t const stream = micro.executor().stream();
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      float* const out = micro.bucket_gradient(bucket).data();
      if (part != weir::StepPart::data) bench::launch_busy(stream, blocks, turns, out);
    }
    if (part != weir::StepPart::backward) return;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      auto const gradient = micro.bucket_gradient(bucket);
      set_zero(micro.executor(), gradient);
      for (int kernel = 0; kernel < 2; ++kernel) bench::launch_busy(stream, blocks, turns, gradient.data());
      micro.ready(bucket);
    }
  }
};

bench::Pool make_workers(weir::CudaExecutor const& executor) {
  return {executor,
          {.buckets = weir::BucketPlan::per_parameter(
               std::vector<weir::Parameter>(buckets, {.elements = bucket_elements})),
           .local_batch = local_batch}};
}

auto recipe(weir::WeightPolicy policy) {
  return weir::LocalAggregator{} |
         weir::WeightSync{policy, weir::Sgd{{.learning_rate = 1e-3, .momentum = 0.9}}};
}

weir::Profile measure_profile(weir::CudaExecutor const& executor, weir::DeviceView<float> weights,
                              BusyModel const& model) {
  auto workers = make_workers(executor);
  auto sync = recipe(weir::WeightPolicy::sequential).on(workers, weights);
  weir::RecipeStep step(workers, sync, bench::Batch{most_workers * local_batch}, model);
  weir::Profile profile{
      .rounding = weir::ProfileRounding::none,
      .buckets_mib = std::vector<double>(buckets, bucket_elements * sizeof(float) / 1048576.0)};
  profile.devices = {
      {"GPU", {weir::profile_step(step, {.local_batch = local_batch, .most_workers = most_workers})}}};
  profile.cluster = {{"here", "GPU", 1, weir::not_measured, weir::not_measured}};
  return profile;
}

/// Microseconds of a step.
bench::Timing measure_step(weir::CudaExecutor const& executor, weir::DeviceView<float> weights,
                           BusyModel const& model, weir::Plan const& plan) {
  auto workers = make_workers(executor);
  auto sync = recipe(plan.weight_sync).on(workers, weights);
  sync.resize(plan.ranks[0]);
  bench::Batch const batch{plan.global_batch};
  std::vector<double> times;
  for (std::size_t round = 0; round <= rounds; ++round) {
    auto const begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < steps; ++i) sync(workers(batch, model));
    sync.wait();
    std::chrono::duration<double, std::micro> const taken = std::chrono::steady_clock::now() - begin;
    if (round > 0) times.push_back(taken.count() / static_cast<double>(steps));
  }
  return bench::summarise(times);
}

void predict(bench::Report& report, std::string const& kernels, unsigned blocks) {
  weir::CudaExecutor const executor;
  weir::Buffer<float, weir::CudaExecutor> const weights(executor, buckets * bucket_elements);
  bench::fill_random(executor.stream(), weights.data(), weights.size(), 1);
  BusyModel const model{blocks};
  weir::TimeModel const time_model(measure_profile(executor, weights.view(), model));
  for (std::size_t const micro_batches : {4, 12, 32}) {
    weir::Plan const plan = weir::solve(time_model, {.global_batch = micro_batches * local_batch,
                                                     .weight_sync = weir::WeightPolicy::sequential});
    if (!plan.feasible) throw std::runtime_error(plan.reason);
    auto const timing = measure_step(executor, weights.view(), model, plan);
    double const predicted = 1e6 * plan.seconds_per_step;
    report.add(
        {.measured = "prediction, " + kernels + ", " + std::to_string(micro_batches) + " micro-batches",
         .what = "step of " + std::to_string(plan.ranks[0].workers) + " x " +
                 std::to_string(plan.ranks[0].micro_batches),
         .timing = timing,
         .roof = "predicted",
         .roof_value = predicted,
         .ratio = std::min(predicted, timing.median) / std::max(predicted, timing.median),
         .goal = bench::Goal::ratio_at_least(goal)});
  }
}

unsigned multiprocessors() {
  int count = 0;
  weir::check_cuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, weir::current_device()),
                   "cudaDeviceGetAttribute");
  return static_cast<unsigned>(count);
}

void small_kernels(bench::Report& report) {
  predict(report, "kernels of a quarter of the GPU", multiprocessors() / 4);
}

void large_kernels(bench::Report& report) {
  predict(report, "kernels that fill the GPU", 2 * multiprocessors());
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(
      count, arguments,
      {{"kernels of a quarter of the GPU", small_kernels}, {"kernels that fill the GPU", large_kernels}});
}
