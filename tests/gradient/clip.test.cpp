#include "weir/gradient/clip.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "support/collect.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// Two buckets with gradients (3, 4) and 12: norms 5 and 12, together 13. `factor` multiplies them per step.
template <class Rest>
auto run(Rest const& rest, std::vector<float> const& factors, std::size_t workers, auto const& look) {
  auto const model = [&](auto& micro) {
    float const scale = factors[micro.step()] * micro.loss_scale();
    auto const one = micro.gradient(0);
    one[0] = 3.0f * scale;
    one[1] = 4.0f * scale;
    micro.gradient(1)[0] = 12.0f * scale;
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool pool{executor,
                              {.workers = workers, .buckets = weir::BucketPlan::by_bytes({8, 4}, 1, 1)}};
  std::vector<std::vector<float>> steps;
  auto sync = (weir::LocalAggregator{} | rest | Collect<float>{steps}).on(pool, weir::view(weights));
  std::vector<int> const samples(workers);
  for (std::size_t step = 0; step < factors.size(); ++step) {
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    look(sync);
  }
  return steps;
}

void check_close(std::vector<float> const& found, std::vector<double> const& expected) {
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(static_cast<double>(found[i]) == doctest::Approx(expected[i]).epsilon(1e-6));
}

}

TEST_CASE("the global norm is that of all buckets together, and is told") {
  for (std::size_t workers : {1u, 3u}) {
    std::vector<double> norms;
    auto const look = [&](auto& sync) { norms.push_back(sync.template stage<weir::Clip>().norm()); };
    auto const steps = run(weir::Clip{{.max_norm = 6.5}}, {1.0f, 0.25f, 100.0f}, workers, look);
    check_close(steps[0], {1.5, 2.0, 6.0});
    CHECK(steps[1] == std::vector<float>{0.75f, 1.0f, 3.0f});  // below: untouched
    check_close(steps[2], {1.5, 2.0, 6.0});
    CHECK(norms[0] == doctest::Approx(13.0));
    CHECK(norms[1] == doctest::Approx(3.25));
    CHECK(norms[2] == doctest::Approx(1300.0));
  }
}

TEST_CASE("per bucket, each bucket is clipped by its own norm") {
  // Bucket 0 is parameter 1.
  auto const look = [](auto& sync) {
    CHECK(sync.template stage<weir::Clip>().norm(0) == doctest::Approx(12.0));
    CHECK(sync.template stage<weir::Clip>().norm(1) == doctest::Approx(5.0));
  };
  auto const steps = run(weir::Clip{{.max_norm = 6.0, .per_bucket = true}}, {1.0f}, 2, look);
  check_close(steps[0], {3.0, 4.0, 6.0});
}

TEST_CASE("after an all-reduce the result is the same") {
  auto const steps =
      run(weir::AllReduce{weir::SelfCommunicator{}} | weir::Clip{{.max_norm = 6.5}}, {1.0f}, 3, [](auto&) {});
  check_close(steps[0], {1.5, 2.0, 6.0});
}

TEST_CASE("two clips one after another are the stricter one") {
  auto const look = [](auto&) {};
  auto const steps = run(weir::Clip{{.max_norm = 6.5}} | weir::Clip{{.max_norm = 1.3, .per_bucket = false}},
                         {1.0f}, 2, look);
  check_close(steps[0], {0.3, 0.4, 1.2});
}

TEST_CASE("after loss scaling the norm is that of the unscaled gradient") {
  std::vector<double> norms;
  auto const look = [&](auto& sync) { norms.push_back(sync.template stage<weir::Clip>().norm()); };
  auto const steps = run(weir::LossScale{{.initial = 1024.0, .interval = 2}} | weir::Clip{{.max_norm = 6.5}},
                         {1.0f, 1.0f, 0.25f, std::numeric_limits<float>::infinity(), 1.0f}, 2, look);
  CHECK(norms[0] == doctest::Approx(13.0));
  CHECK(norms[1] == doctest::Approx(13.0));
  CHECK(norms[2] == doctest::Approx(3.25));
  CHECK(std::isinf(norms[3]));
  CHECK(norms[4] == doctest::Approx(13.0));
  for (std::size_t step : {0u, 1u, 4u}) check_close(steps[step], {1.5, 2.0, 6.0});
  check_close(steps[2], {0.75, 1.0, 3.0});
}

TEST_CASE("a norm that is not above zero is refused") {
  for (double norm : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(weir::Clip{{.max_norm = norm}}, weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::Clip{{.max_norm = 0.0}}, "Clip: max_norm is 0.000000, it has to be above 0",
                       weir::ContractViolation);
}
