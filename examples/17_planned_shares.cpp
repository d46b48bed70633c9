// Two ranks of which one is three times as slow: both are measured, a plan shares the global batch out, and
// the training is resized to it, which takes half the time of equal shares.
#include <chrono>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

#include "weir/plan/recipe_step.hpp"
#include "weir/plan/solve.hpp"
#include "weir/weir.hpp"

constexpr std::size_t all_micro_batches = 12;  // of both ranks, in a step
constexpr std::size_t local_batch = 8;
std::vector<int> const samples = std::vector<int>(all_micro_batches * local_batch);

struct SlowModel {
  std::chrono::milliseconds pass;  // that it takes forward, and twice that backward

  void operator()(auto& micro, weir::StepPart part = weir::StepPart::backward) const {
    if (part != weir::StepPart::data) std::this_thread::sleep_for(pass);
    if (part == weir::StepPart::backward) std::this_thread::sleep_for(2 * pass);
    for (float& value : micro.gradient(0)) value = 0.0f;
  }
};

weir::StreamWorkerPool<weir::HostExecutor> make_workers(weir::HostExecutor const& exec) {
  return {exec, {.buckets = weir::BucketPlan::by_bytes({4096}), .local_batch = local_batch}};
}

// What a device takes for a step of its own.
weir::DeviceProfile measure(char const* name, SlowModel model) {
  std::vector<float> weights(1024);
  weir::HostExecutor exec;
  auto workers = make_workers(exec);
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(workers, weir::view(weights));
  weir::RecipeStep step{workers, sync, std::span<int const>(samples), model};
  return {name, {weir::profile_step(step, {.local_batch = local_batch, .warmup = 1, .steps = 10})}};
}

// Seconds per step of both ranks together, each with its own layout.
double train(std::vector<weir::WorkLayout> const& layouts, SlowModel const (&models)[2]) {
  constexpr int steps = 10;
  double seconds = 0;
  std::vector<std::thread> ranks;
  for (weir::ThreadCommunicator const& communicator : weir::ThreadCommunicator::group(2)) {
    ranks.emplace_back([&, communicator, rank = communicator.rank()] {
      std::vector<float> weights(1024);
      weir::HostExecutor exec;
      auto workers = make_workers(exec);
      auto const sum = weir::GradAccumulator{1} | weir::LocalAggregator{} | weir::AllReduce{communicator};
      auto sync = (sum | weir::Sgd{{}}).on(workers, weir::view(weights));
      sync.resize(layouts[rank]);
      sync.settle();  // the other rank is there, too
      auto const begin = std::chrono::steady_clock::now();
      for (int i = 0; i < steps; ++i) sync(workers(std::span<int const>(samples), models[rank]));
      sync.wait();
      std::chrono::duration<double> const taken = std::chrono::steady_clock::now() - begin;
      if (rank == 0) seconds = taken.count() / steps;
    });
  }
  for (std::thread& rank : ranks) rank.join();
  return seconds;
}

int main() {
  SlowModel const models[2] = {{std::chrono::milliseconds(3)}, {std::chrono::milliseconds(9)}};
  weir::Profile profile{.rounding = weir::ProfileRounding::none, .buckets_mib = {0.004}};
  profile.devices = {measure("fast", models[0]), measure("slow", models[1])};
  profile.cluster = {{"here", "fast", 1, 1e10, 1e10}, {"there", "slow", 1, 1e10, 1e10}};
  profile.inter = {.p = 0, .q = 0};  // threads of one machine exchange 4 KiB in no time
  weir::TimeModel const model(profile);
  weir::Plan const plan = weir::solve(model, {.global_batch = samples.size()});
  std::vector<weir::WorkLayout> const equal(2, {1, all_micro_batches / 2, local_batch});
  double const predicted = model.seconds(equal, plan.weight_sync) / plan.seconds_per_step;
  double const measured = train(equal, models) / train(plan.ranks, models);
  std::printf("%zu and %zu micro-batches: faster than equal shares by a factor of %.2f, predicted %.2f\n",
              plan.ranks[0].micro_batches, plan.ranks[1].micro_batches, measured, predicted);
  return measured > 1 + 0.5 * (predicted - 1) ? 0 : 1;
}
