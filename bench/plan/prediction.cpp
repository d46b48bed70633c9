// Predicted against measured step times, for plans on threads that stand for unequal devices: a rank's
// micro-batch takes a known time, spent asleep, so that the ranks do not share this machine's cores. Goals:
// within 5 % on average and 10 % at worst, and at least 90 % of the gain over equal shares that the model
// predicts.
//
// This machine may be busy with something else, and where a plan gains little, an error of 1 % in a step time
// is one of 5 % in the share of the gain. So everything is measured several times, the plan and equal shares
// by turns, and the median is taken.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/plan/profile_all_reduce.hpp"
#include "weir/plan/recipe_step.hpp"
#include "weir/plan/solve.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

constexpr std::size_t local_batch = 8;
constexpr std::size_t elements = 1 << 20;  // of the model, in one bucket
constexpr double bytes_per_second = 1e10;
constexpr std::size_t rounds = 5;
std::vector<int> const samples(64 * local_batch);

struct SleepingModel {
  double milliseconds;  // a third of it forward

  void operator()(auto& micro, weir::StepPart part = weir::StepPart::backward) const {
    if (part != weir::StepPart::data) sleep(milliseconds / 3);
    if (part == weir::StepPart::backward) sleep(milliseconds * 2 / 3);
    static_cast<void>(micro.gradient(0));
  }
  static void sleep(double milliseconds) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds));
  }
};

weir::StreamWorkerPool<weir::HostExecutor> make_workers(weir::HostExecutor const& executor) {
  return {executor,
          {.buckets = weir::BucketPlan::by_bytes({elements * sizeof(float)}), .local_batch = local_batch}};
}

weir::DeviceProfile measure(std::string const& name, SleepingModel model) {
  std::vector<float> weights(elements);
  weir::HostExecutor const executor;
  auto workers = make_workers(executor);
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0}}).on(workers, weir::view(weights));
  weir::RecipeStep step(workers, sync, std::span<int const>(samples), model);
  std::vector<weir::LocalBatchProfile> found;
  for (std::size_t round = 0; round < rounds; ++round)
    found.push_back(weir::profile_step(step, {.local_batch = local_batch, .warmup = 2, .steps = 30}));
  auto const pass = [](weir::LocalBatchProfile const& profile) {
    return profile.points.front().forward_ms + profile.points.front().backward_ms;
  };
  std::nth_element(found.begin(), found.begin() + rounds / 2, found.end(),
                   [&](auto const& left, auto const& right) { return pass(left) < pass(right); });
  return {name, {found[rounds / 2]}};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
  return values[rounds / 2];
}

/// Calls `body(communicator)` on a thread for each rank.
template <class Body>
void on_ranks(std::size_t count, Body const& body) {
  std::vector<std::thread> ranks;
  for (weir::ThreadCommunicator const& communicator : weir::ThreadCommunicator::group(count))
    ranks.emplace_back([&body, communicator] { body(communicator); });
  for (std::thread& rank : ranks) rank.join();
}

double train(std::vector<weir::WorkLayout> const& layouts, std::vector<SleepingModel> const& models) {
  constexpr int steps = 20;
  double seconds = 0;
  on_ranks(layouts.size(), [&](weir::ThreadCommunicator const& communicator) {
    std::vector<float> weights(elements);
    weir::HostExecutor const executor;
    auto workers = make_workers(executor);
    auto const sum = weir::LocalAggregator{} | weir::AllReduce{communicator};
    auto sync = (sum | weir::Sgd{{.learning_rate = 0}}).on(workers, weir::view(weights));
    sync.resize(layouts[communicator.rank()]);
    SleepingModel const& model = models[communicator.rank()];
    auto const batch = std::span<int const>(samples).first(sync.ranks().total_micro_batches() * local_batch);
    sync(workers(batch, model));
    sync.wait();
    auto const begin = std::chrono::steady_clock::now();
    for (int i = 0; i < steps; ++i) sync(workers(batch, model));
    sync.wait();
    std::chrono::duration<double> const taken = std::chrono::steady_clock::now() - begin;
    if (communicator.rank() == 0) seconds = taken.count() / steps;
  });
  return seconds;
}

weir::AllReduceProfile measure_all_reduce() {
  weir::AllReduceProfile result;
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    std::vector<weir::AllReduceProfile> found;
    for (std::size_t round = 0; round < rounds; ++round) {
      // As before a collective in training: threads that have slept get a core at once.
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      found.push_back(profile_all_reduce(executor, communicator,
                                         {.sizes_mib = {1, 2, 4, 8}, .bytes_per_second = bytes_per_second}));
    }
    if (communicator.rank() != 0) return;
    result = found.front();
    for (std::size_t i = 0; i < result.samples_ms.size(); ++i) {
      std::vector<double> times;
      for (auto const& profile : found) times.push_back(profile.samples_ms[i].measured_ms);
      result.samples_ms[i].measured_ms = median(times);
    }
  });
  return result;
}

/// Two ranks, the second slower by a factor given in tenths.
void predict(benchmark::State& state) {
  double const factor = static_cast<double>(state.range(0)) / 10;
  std::vector<SleepingModel> const models = {{3}, {3 * factor}};
  weir::Profile profile{.rounding = weir::ProfileRounding::none, .buckets_mib = {elements * 4.0 / 1048576}};
  profile.devices = {measure("fast", models[0]), measure("slow", models[1])};
  profile.cluster = {{"here", "fast", 1, bytes_per_second, bytes_per_second},
                     {"there", "slow", 1, bytes_per_second, bytes_per_second}};
  profile.inter = measure_all_reduce();
  weir::TimeModel const model(profile);
  auto const global_batch = static_cast<std::size_t>(state.range(1)) * local_batch;
  weir::Plan const plan =
      weir::solve(model, {.global_batch = global_batch, .weight_sync = weir::WeightPolicy::shared});
  weir::Plan const equal = weir::solve(
      model, {.global_batch = global_batch, .weight_sync = weir::WeightPolicy::shared, .equal_shares = true});

  double planned_seconds = 0;
  double equal_seconds = 0;
  for (auto _ : state) {
    std::vector<double> of_plan;
    std::vector<double> of_equal;
    for (std::size_t round = 0; round < rounds; ++round) {
      of_plan.push_back(train(plan.ranks, models));
      of_equal.push_back(train(equal.ranks, models));
    }
    planned_seconds = median(of_plan);
    equal_seconds = median(of_equal);
    state.SetIterationTime(planned_seconds);
  }
  auto const error = [](double measured, double predicted) { return 100 * (measured / predicted - 1); };
  state.counters["planned_error_percent"] = error(planned_seconds, plan.seconds_per_step);
  state.counters["equal_error_percent"] = error(equal_seconds, equal.seconds_per_step);
  double const predicted_gain = equal.seconds_per_step / plan.seconds_per_step;
  double const gain = equal_seconds / planned_seconds;
  state.counters["gain"] = gain;
  state.counters["predicted_gain"] = predicted_gain;
  state.counters["share_of_gain"] = (gain - 1) / (predicted_gain - 1);
}
BENCHMARK(predict)
    ->ArgNames({"slower", "micro_batches"})
    ->Args({15, 20})
    ->Args({20, 12})
    ->Args({30, 16})
    ->Args({40, 10})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
