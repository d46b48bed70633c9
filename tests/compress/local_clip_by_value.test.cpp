#include "weir/compress/local_clip_by_value.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "support/collect.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/compress/local_clip.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

static_assert(weir::LocalClipByValue<weir::SelfCommunicator>::needs_unscaled_gradients,
              "behind it, LossScale would take the scale out of what is clamped already");

constexpr float infinity = std::numeric_limits<float>::infinity();

/// What two workers with one sample each give the next stage, of two buckets with the given gradient of each.
template <class Stages>
std::vector<float> run(Stages const& stages, std::vector<float> const& gradient) {
  auto const model = [&](auto& micro) {
    auto const first = micro.gradient(0);
    auto const second = micro.gradient(1);
    auto const scale = static_cast<float>(micro.loss_scale());
    for (std::size_t i = 0; i < first.size(); ++i) first[i] = scale * gradient[i];
    for (std::size_t i = 0; i < second.size(); ++i) second[i] = scale * gradient[first.size() + i];
  };
  std::size_t const size = gradient.size();
  weir::HostExecutor const executor;
  std::vector<float> weights(size);
  weir::StreamWorkerPool pool{
      executor,
      {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4 * (size - 1), 4}, 1, 1), .local_batch = 1}};
  std::vector<std::vector<float>> steps;
  auto sync = (stages | Collect<float>{steps}).on(pool, weir::view(weights));
  std::vector<int> const samples(2);
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  return steps[0];
}

weir::LocalClipByValue<weir::SelfCommunicator> clip_at(double most) {
  return weir::LocalClipByValue{weir::SelfCommunicator{}, {.max_value = most}};
}

weir::LocalAggregator<weir::SumScale> const sum{weir::SumScale{}};

}

TEST_CASE("elements of the local sum are clamped, where it is pending and where it was taken before") {
  std::vector<float> const gradient{3, -4, 0.5f, -0.0f, 12}, expected{5, -5, 1, -0.0f, 5};
  CHECK(run(sum | clip_at(5.0), gradient) == expected);
  CHECK(run(sum | weir::Clip{{.max_norm = 1000.0}} | clip_at(5.0), gradient) == expected);
  CHECK(run(sum | clip_at(infinity), gradient) == std::vector<float>{6, -8, 1, -0.0f, 24});
}

TEST_CASE("the bound is divided by the root of the number of ranks") {
  on_ranks(4, [](weir::ThreadCommunicator const& communicator) {
    weir::LocalClipByValue const clip{communicator, {.max_value = 5.0}};
    CHECK(run(sum | clip, {3, -1, 1, 0.5f}) == std::vector<float>{2.5f, -2, 2, 1});
  });
}

TEST_CASE("the bound holds for the gradient that is applied: mean, loss scale and a clip before included") {
  std::vector<float> const gradient{3, -4, 0.5f, 12};
  // The mean over the two workers is the gradient itself.
  CHECK(run(weir::LocalAggregator{} | clip_at(2.0), gradient) == std::vector<float>{2, -2, 0.5f, 2});
  CHECK(run(weir::LocalAggregator{} | weir::LossScale{{.initial = 1024.0}} | clip_at(2.0), gradient) ==
        std::vector<float>{2, -2, 0.5f, 2});
  // Its norm is 13, but for the third element.
  weir::LocalClip const half{weir::SelfCommunicator{}, {.max_norm = 13.0}};
  CHECK(run(sum | half | clip_at(2.0), {3, -4, 0, 12}) == std::vector<float>{2, -2, 0, 2});
}

TEST_CASE("NaN and infinite elements stay so for the stage that looks after them") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (bool is_taken : {false, true}) {
    CAPTURE(is_taken);
    std::vector<float> const gradient{nan, infinity, -infinity, 1, 7};
    auto const found =
        is_taken ? run(sum | clip_at(1e30) | clip_at(5.0), gradient) : run(sum | clip_at(5.0), gradient);
    CHECK(std::isnan(found[0]));
    CHECK(found[1] == infinity);
    CHECK(found[2] == -infinity);
    CHECK(found[3] == 2.0f);
    CHECK(found[4] == 5.0f);
  }
}

TEST_CASE("a bound that is not above zero is refused") {
  for (double most : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(clip_at(most), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(clip_at(0.0), "LocalClipByValue: max_value is 0.000000, it has to be above 0",
                       weir::ContractViolation);
}
