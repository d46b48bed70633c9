#include "weir/workers/micro.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/bits.hpp"
#include "support/collect.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using Layouts = std::vector<weir::WorkLayout>;
using Masks = std::map<std::pair<std::uint64_t, std::size_t>, std::vector<std::uint32_t>>;  // by step and u

/// The dropout masks of two random operations, in each of two steps.
Masks masks_of(Layouts const& layouts, std::uint64_t seed, std::size_t total) {
  Masks masks;
  std::mutex mutex;
  on_ranks(layouts.size(), [&](weir::ThreadCommunicator const& communicator) {
    auto const layout = layouts[communicator.rank()];
    auto const model = [&](auto& micro) {
      std::vector<std::uint32_t> mask;
      for (std::uint32_t site : {3u, 11u}) {
        for (std::size_t i = 0; i < 40; ++i) mask.push_back(micro.random(site).uniform(i) < 0.5f);
        mask.push_back(micro.random(site).word(0));
      }
      std::lock_guard const lock(mutex);
      CHECK(masks.emplace(std::pair(micro.step(), micro.global_index()), mask).second);
    };
    weir::HostExecutor const executor;
    std::vector<float> weights(1);
    weir::StreamWorkerPool pool{
        executor, {.workers = layout.workers, .buckets = weir::BucketPlan::by_bytes({4}), .seed = seed}};
    auto sync = (weir::GradAccumulator{layout.micro_batches} | weir::LocalAggregator{} |
                 weir::AllReduce{communicator} | weir::Sgd{{}})
                    .on(pool, weir::view(weights));
    std::vector<int> const samples(total);
    for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
  });
  return masks;
}

/// Runs one step of a pool with one worker.
template <class Model>
void run_step(Model const& model, weir::BucketPlan const& plan, std::size_t micro_batches = 1) {
  weir::HostExecutor const executor;
  std::vector<float> weights(plan.elements());
  weir::StreamWorkerPool pool{executor, {.buckets = plan}};
  auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | weir::Sgd{{}})
                  .on(pool, weir::view(weights));
  std::vector<int> const samples(micro_batches);
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
}

/// A stage on the workers' streams: calls `f(bucket)` in the very call by which a bucket is reported.
template <class Function>
class OnReport {
 public:
  using consumes = weir::PerWorker;
  using produces = weir::PerWorker;

  explicit OnReport(Function& f) : f_(&f) {}

  template <weir::Executor E>
  auto on(weir::BucketContext<E> const&) const {
    return [f = f_](weir::WorkerGradient<E> const& gradient) {
      (*f)(gradient.bucket);
      return gradient;
    };
  }

 private:
  Function* f_;
};

template <class Model>
std::string error_of(Model const& model, weir::BucketPlan const& plan) {
  try {
    run_step(model, plan);
  } catch (weir::WorkerError const& error) {
    CHECK_THROWS_AS(std::rethrow_exception(error.cause()), weir::ContractViolation);
    return error.what();
  }
  return {};
}

}

TEST_CASE("dropout masks are the same for all splits into workers, micro-batches and ranks") {
  constexpr std::size_t total = 12;
  auto const expected = masks_of({{1, total, 1}}, 42, total);
  REQUIRE(expected.size() == 2 * total);
  Layouts const single = {{12, 1, 1}, {4, 3, 1}, {3, 4, 1}, {2, 6, 1}, {6, 2, 1}};
  for (auto const& layout : single) CHECK(masks_of({layout}, 42, total) == expected);
  CHECK(masks_of({{4, 1, 1}, {1, 8, 1}}, 42, total) == expected);
  CHECK(masks_of({{3, 1, 1}, {1, 1, 1}, {2, 3, 1}, {1, 2, 1}}, 42, total) == expected);

  CHECK(masks_of({{1, total, 1}}, 43, total) != expected);
  for (auto const& [key, mask] : expected) {
    for (auto const& [other_key, other] : expected) CHECK((mask == other) == (key == other_key));
    CHECK(std::vector(mask.begin(), mask.begin() + 41) != std::vector(mask.begin() + 41, mask.end()));
  }
}

TEST_CASE("random words are those of Philox keyed by seed, step, micro-batch and site") {
  auto const masks = masks_of({{1, 4, 1}}, 42, 4);
  CHECK(masks.at({1, 3}).back() == weir::philox({{0, 1, 3, 11}}, 42)[0]);
  CHECK(weir::philox({{0, 7, 3, 11}}, 42) ==
        weir::RandomWords{{0xc280613a, 0x0e27bad1, 0x7923d446, 0xe26c0659}});
}

TEST_CASE("a network with dropout gives the same gradient for all splits") {
  auto const data = network::samples(24);
  auto const gradient_of = [&](std::size_t workers, std::size_t micro_batches) {
    auto const model = [](auto& micro) {
      auto const mask = micro.random(1);
      std::array<float, network::total> dropped;
      for (std::size_t i = 0; i < network::total; ++i) {
        float const weight = *(micro.weights(0).data() + i);
        dropped[i] = mask.uniform(i) < 0.5f ? 0.0f : 2.0f * weight;
      }
      network::backward<float>(
          micro.samples(), micro.loss_scale(), micro.accumulate(),
          [&](std::size_t p) { return dropped.data() + network::offsets[p]; },
          [&](std::size_t p) { return micro.gradient(p).data(); },
          [&](std::size_t p) { micro.ready_parameter(p); });
    };
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    weir::StreamWorkerPool pool{
        executor, {.workers = workers, .buckets = network::plan(), .local_batch = 2, .seed = 9}};
    std::vector<std::vector<float>> steps;
    auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | Collect<float>{steps})
                    .on(pool, weir::view(weights));
    sync(pool(network::Batch(data), model));
    sync.wait();
    return steps.at(0);
  };
  auto const expected = gradient_of(1, 12);
  for (std::size_t workers : {2u, 3u, 4u, 12u}) {
    auto const found = gradient_of(workers, 12 / workers);
    for (std::size_t i = 0; i < network::total; ++i)
      CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-4));
  }
}

TEST_CASE("a gradient may have the element type of its bucket only") {
  auto const plan =
      weir::BucketPlan({{2, weir::ElementType::float32}, {2, weir::ElementType::bfloat16}}, {{0}, {1}});
  auto const right = [](auto& micro) {
    micro.gradient(0)[1] = 1.0f;
    micro.template gradient<weir::bfloat16>(1)[1] = weir::bfloat16(1.0f);
    CHECK(micro.template bucket_gradient<weir::bfloat16>(1).size() == 2);
    CHECK(micro.gradient(0).size() == 2);
  };
  CHECK(error_of(right, plan).empty());
  auto const wrong = [](auto& micro) { micro.gradient(1); };
  CHECK(error_of(wrong, plan) ==
        "rank 0, worker 0, micro-batch 0: a gradient of bfloat16 was asked for as float32");
  auto const also_wrong = [](auto& micro) { micro.template bucket_gradient<weir::half>(0); };
  CHECK(error_of(also_wrong, plan) ==
        "rank 0, worker 0, micro-batch 0: a gradient of float32 was asked for as float16");
}

TEST_CASE("reporting twice in one micro-batch is refused by name") {
  auto const plan = weir::BucketPlan({{1}, {1}, {1}}, {{1, 2}, {0}});
  auto const bucket = [](auto& micro) {
    micro.ready(1);
    micro.ready(1);
  };
  CHECK(error_of(bucket, plan) ==
        "rank 0, worker 0, micro-batch 0: bucket 1 was reported twice in one micro-batch");
  auto const parameter = [](auto& micro) {
    micro.ready_parameter(2);
    micro.ready_parameter(2);
  };
  CHECK(error_of(parameter, plan) ==
        "rank 0, worker 0, micro-batch 0: parameter 2 was reported twice in one micro-batch");
  auto const both = [](auto& micro) {
    micro.ready(0);
    micro.ready_parameter(1);
    micro.ready_parameter(2);
  };
  CHECK(error_of(both, plan) ==
        "rank 0, worker 0, micro-batch 0: bucket 0 was reported twice in one micro-batch");
  auto const once_each = [](auto& micro) {
    micro.ready_parameter(1);
    micro.ready(1);
    micro.ready_parameter(2);
  };
  CHECK(error_of(once_each, plan).empty());
}

TEST_CASE("a parameter or bucket that is not there is refused with how many there are") {
  auto const plan = weir::BucketPlan({{1}, {1}, {1}}, {{1, 2}, {0}});
  std::string const no_parameter =
      "rank 0, worker 0, micro-batch 0: there is no parameter 3: the bucket plan has 3";
  CHECK(error_of([](auto& micro) { micro.gradient(3); }, plan) == no_parameter);
  CHECK(error_of([](auto& micro) { (void)micro.weights(3); }, plan) == no_parameter);
  CHECK(error_of([](auto& micro) { micro.ready_parameter(3); }, plan) == no_parameter);
  CHECK(error_of([](auto& micro) { micro.gradient_final(3); }, plan) == no_parameter);
  CHECK(error_of([](auto& micro) { micro.weights_read(3); }, plan) == no_parameter);
  std::string const no_bucket =
      "rank 0, worker 0, micro-batch 0: there is no bucket 2: the bucket plan has 2";
  CHECK(error_of([](auto& micro) { micro.bucket_gradient(2); }, plan) == no_bucket);
  CHECK(error_of([](auto& micro) { micro.ready(2); }, plan) == no_bucket);
}

TEST_CASE("a bucket is due when the gradients of all its parameters are final and their weights were read") {
  using Reports = std::vector<std::size_t>;
  auto const plan = weir::BucketPlan({{1}, {1}, {1}, {1}}, {{1, 2}, {0}, {3}});
  Reports reported;
  auto const note = [&](std::size_t bucket) { reported.push_back(bucket); };
  auto const model = [&](auto& micro) {
    reported.clear();
    micro.gradient_final(1);
    micro.gradient_final(2);
    CHECK(reported == Reports{});
    micro.weights_read(2);
    CHECK(reported == Reports{});
    micro.weights_read(1);
    CHECK(reported == Reports{0});
    micro.weights_read(0);  // in the other order
    CHECK(reported == Reports{0});
    micro.gradient_final(0);
    CHECK(reported == Reports{0, 1});
    micro.gradient_final(3);  // the other half is said when the model returns
    CHECK(reported == Reports{0, 1});
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(4);
  weir::StreamWorkerPool pool{executor, {.buckets = plan}};
  auto sync = (OnReport{note} | weir::GradAccumulator{3} | weir::LocalAggregator{} | weir::Sgd{{}})
                  .on(pool, weir::view(weights));
  std::vector<int> const samples(3);
  for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(reported == Reports{0, 1, 2});
}

TEST_CASE("saying either half of a parameter twice is refused, also by saying both at once") {
  auto const plan = weir::BucketPlan({{1}}, {{0}});
  std::string const refused =
      "rank 0, worker 0, micro-batch 0: parameter 0 was reported twice in one micro-batch";
  CHECK(error_of([](auto& micro) { micro.gradient_final(0), micro.gradient_final(0); }, plan) == refused);
  CHECK(error_of([](auto& micro) { micro.weights_read(0), micro.weights_read(0); }, plan) == refused);
  CHECK(error_of([](auto& micro) { micro.weights_read(0), micro.ready_parameter(0); }, plan) == refused);
  CHECK(error_of([](auto& micro) { micro.ready_parameter(0), micro.gradient_final(0); }, plan) == refused);
  CHECK(error_of([](auto& micro) { micro.weights_read(0), micro.gradient_final(0); }, plan).empty());
}

TEST_CASE("accumulate says whether to add: not in the first micro-batch, and never to 16 bits") {
  auto const plan =
      weir::BucketPlan({{1, weir::ElementType::float32}, {1, weir::ElementType::float16}}, {{0}, {1}});
  auto const model = [](auto& micro) {
    CHECK(micro.accumulate() == (micro.index() != 0));
    CHECK(micro.accumulate(0) == (micro.index() != 0));
    CHECK_FALSE(micro.accumulate(1));
  };
  run_step(model, plan, 3);
}

TEST_CASE("the loss scale is the share of a full micro-batch") {
  weir::HostExecutor const executor;
  std::vector<double> weights(1);
  weir::StreamWorkerPool<weir::HostExecutor, double> pool{
      executor,
      {.workers = 2,
       .buckets = weir::BucketPlan::by_bytes({8}, 1, 1, weir::ElementType::float64),
       .local_batch = 4}};
  std::vector<double> scales(4, -1.0);
  auto const model = [&](auto& micro) {
    static_assert(std::is_same_v<decltype(micro.loss_scale()), double>);
    scales[micro.global_index()] = micro.loss_scale();
    CHECK_FALSE(micro.samples().empty());
  };
  auto sync =
      (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Sgd{{}}).on(pool, weir::view(weights));
  int const samples[11] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(scales == std::vector<double>{1.0, 1.0, 0.75, -1.0});
}
