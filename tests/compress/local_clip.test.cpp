#include "weir/compress/local_clip.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "support/collect.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

struct Found {
  std::vector<float> gradient;  // of parameter 0, then of parameter 1, as it would go on
  double norm;
};

/// One step of this rank: two buckets with gradients (3, 4) and 12, times `factor`: norms 5 and 12, together
/// 13.
template <class Communicator>
Found run(Communicator const& communicator, weir::LocalClipOptions const& options, float factor = 1.0f) {
  auto const model = [&](auto& micro) {
    auto const one = micro.gradient(0);
    one[0] = 3.0f * factor;
    one[1] = 4.0f * factor;
    micro.gradient(1)[0] = 12.0f * factor;
  };
  weir::HostExecutor const executor;
  std::vector<float> weights(3);
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::by_bytes({8, 4}, 1, 1)}};
  std::vector<std::vector<float>> steps;
  weir::LocalClip const clip{communicator, options};
  auto sync =
      (weir::LocalAggregator{weir::SumScale{}} | clip | Collect<float>{steps}).on(pool, weir::view(weights));
  int const samples[1] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  return {steps[0], sync.template stage<weir::LocalClip<Communicator>>().norm()};
}

void check_close(std::vector<float> const& found, std::vector<double> const& expected) {
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(static_cast<double>(found[i]) == doctest::Approx(expected[i]).epsilon(1e-6));
}

}

TEST_CASE("a rank clips what it gives to the sum by the root of the number of ranks") {
  weir::SelfCommunicator const alone;
  Found const one = run(alone, {.max_norm = 6.5});
  check_close(one.gradient, {1.5, 2.0, 6.0});
  CHECK(one.norm == doctest::Approx(13.0));
  CHECK(run(alone, {.max_norm = 13.5}).gradient == std::vector<float>{3, 4, 12});

  on_ranks(4, [](weir::ThreadCommunicator const& communicator) {
    float const factor = communicator.rank() == 2 ? 0.25f : 1.0f;
    Found const found = run(communicator, {.max_norm = 13.0}, factor);
    double const expected = communicator.rank() == 2 ? 0.25 : 0.5;
    check_close(found.gradient, {3.0 * expected, 4.0 * expected, 12.0 * expected});
  });
}

TEST_CASE("by the norm of all ranks, all ranks clip alike") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    float const factor = static_cast<float>(communicator.rank() + 1);
    Found const found = run(communicator, {.max_norm = 2.0, .norm = weir::LocalNorm::of_ranks}, factor);
    double const norm = 13.0 * std::sqrt((1.0 + 4.0 + 9.0) / 3.0);
    CHECK(found.norm == doctest::Approx(norm));
    double const scale = static_cast<double>(factor) * 2.0 / (std::sqrt(3.0) * norm);
    check_close(found.gradient, {3.0 * scale, 4.0 * scale, 12.0 * scale});
  });
}

TEST_CASE("per bucket, each bucket is clipped by its own norm") {
  Found const found = run(weir::SelfCommunicator{}, {.max_norm = 6.0, .per_bucket = true});
  check_close(found.gradient, {3.0, 4.0, 6.0});
}

TEST_CASE("what is not finite is left for the stage that looks after it") {
  Found const found = run(weir::SelfCommunicator{}, {.max_norm = 6.5}, std::numeric_limits<float>::max());
  CHECK(std::isinf(found.gradient[0]));  // 3 times the largest number
}

TEST_CASE("a norm that is not above zero is refused") {
  for (double norm : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS((weir::LocalClip{weir::SelfCommunicator{}, {.max_norm = norm}}), weir::ContractViolation);
  CHECK_THROWS_WITH_AS((weir::LocalClip{weir::SelfCommunicator{}, {.max_norm = 0.0}}),
                       "LocalClip: max_norm is 0.000000, it has to be above 0", weir::ContractViolation);
}
