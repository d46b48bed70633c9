#include "weir/gradient/grad_accumulator.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "support/collect.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// The sum that `workers` times `micro_batches` additions of `value` give, each through one 16-bit gradient.
template <class Element>
std::vector<float> sum_of(std::size_t workers, std::size_t micro_batches, float value) {
  auto const plan = weir::BucketPlan::by_bytes({2, 2}, 4, 4, weir::element_type_of<Element>);
  auto const model = [value](auto& micro) {
    CHECK_FALSE(micro.accumulate());
    for (std::size_t p = 0; p < 2; ++p) micro.template gradient<Element>(p)[0] = Element(value);
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(2);
  weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
  std::vector<std::vector<float>> steps;
  auto sync =
      (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{weir::SumScale{}} | Collect<float>{steps})
          .on(pool, weir::view(weights));
  std::vector<int> const samples(workers * micro_batches);
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  return steps.at(0);
}

}

TEST_CASE("ten thousand small additions in 16 bits are as good as in 64") {
  auto const check = [](auto element) {
    using Element = decltype(element);
    float const value = 1e-3f;
    double const exact = 1e4 * static_cast<double>(static_cast<float>(Element(value)));
    Element alone(0.0f);
    for (int i = 0; i < 10'000; ++i)
      alone = Element(static_cast<float>(alone) + static_cast<float>(Element(value)));
    CHECK(static_cast<double>(static_cast<float>(alone)) < 0.5 * exact);  // what it would be without us

    for (auto const& sum : {sum_of<Element>(1, 10'000, value), sum_of<Element>(4, 2'500, value)}) {
      CHECK(static_cast<double>(sum[0]) == doctest::Approx(exact).epsilon(1e-4));
      CHECK(sum[1] == sum[0]);
    }
  };
  check(weir::bfloat16());
  check(weir::half());
}

TEST_CASE("one micro-batch of 16 bits is summed over the workers in 32") {
  // 256 + 1 has no bfloat16: eight workers of which one has 256 and the others 1.
  auto const plan = weir::BucketPlan::by_bytes({2}, 1, 1, weir::ElementType::bfloat16);
  auto const model = [](auto& micro) {
    micro.template gradient<weir::bfloat16>(0)[0] = weir::bfloat16(micro.worker() == 0 ? 256.0f : 1.0f);
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(1);
  weir::StreamWorkerPool pool{executor, {.workers = 8, .buckets = plan}};
  std::vector<std::vector<float>> steps;
  auto sync = (weir::LocalAggregator{weir::SumScale{}} | Collect<float>{steps}).on(pool, weir::view(weights));
  int const samples[8] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(steps.at(0)[0] == 263.0f);
}

TEST_CASE("a 16-bit parameter that a micro-batch leaves alone adds nothing") {
  auto const plan = weir::BucketPlan::by_bytes({2, 2}, 4, 4, weir::ElementType::float16);
  auto const model = [](auto& micro) {
    micro.template gradient<weir::half>(0)[0] = weir::half(1.0f);
    if (micro.index() == 0) micro.template gradient<weir::half>(1)[0] = weir::half(8.0f);
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(2);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan}};
  std::vector<std::vector<float>> steps;
  auto sync = (weir::GradAccumulator{3} | weir::LocalAggregator{weir::SumScale{}} | Collect<float>{steps})
                  .on(pool, weir::view(weights));
  int const samples[6] = {};
  for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  for (auto const& step : steps) CHECK(step == std::vector<float>{6.0f, 16.0f});
}

TEST_CASE("buckets of different element types go through one recipe") {
  auto const plan = weir::BucketPlan::by_bytes(
      std::vector<weir::Parameter>{
          {2, weir::ElementType::float32}, {2, weir::ElementType::bfloat16}, {2, weir::ElementType::float16}},
      1, 1);
  REQUIRE(plan.size() == 3);
  auto const model = [](auto& micro) {
    for (float& g : micro.gradient(0)) g = (micro.accumulate(0) ? g : 0.0f) + 1.0f;
    for (auto& g : micro.template gradient<weir::bfloat16>(1)) g = weir::bfloat16(2.0f);
    for (auto& g : micro.template gradient<weir::half>(2)) g = weir::half(3.0f);
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(6);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan}};
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}})
                  .on(pool, weir::view(weights));
  int const samples[4] = {};
  for (int step = 0; step < 3; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(weights == std::vector<float>{-3, -3, -6, -6, -9, -9});
}

TEST_CASE("no micro-batches are refused") {
  CHECK_THROWS_WITH_AS(weir::GradAccumulator{0}, "GradAccumulator: 0 micro-batches, at least 1 is needed",
                       weir::ContractViolation);
  CHECK(weir::GradAccumulator{7}.micro_batches() == 7);
}
