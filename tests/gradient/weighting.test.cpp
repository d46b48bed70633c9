#include "weir/gradient/weighting.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
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

template <class Weighting>
std::vector<float> gradient_of(std::size_t samples, Weighting weighting) {
  auto const data = network::samples(samples);
  auto const model = network::model();
  auto weights = network::initial_weights();
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 4}};
  std::vector<std::vector<float>> steps;
  auto sync = (weir::GradAccumulator{2, weighting} | weir::LocalAggregator{} | Collect<float>{steps})
                  .on(pool, weir::view(weights));
  sync(pool(network::Batch(data), model));
  sync.wait();
  return steps.at(0);
}

std::string refusal_of(std::size_t samples) {
  try {
    gradient_of(samples, weir::Equal{});
  } catch (weir::ContractViolation const& error) {
    return error.what();
  }
  return {};
}

}

TEST_CASE("by samples, means of 2 and 5 over 8 and 3 samples make 31 / 11") {
  weir::HostExecutor const executor;
  std::vector<double> weights(1);
  weir::StreamWorkerPool<weir::HostExecutor, double> pool{
      executor,
      {.workers = 2,
       .buckets = weir::BucketPlan::by_bytes({8}, 1, 1, weir::ElementType::float64),
       .local_batch = 8}};
  std::vector<std::vector<double>> steps;
  auto sync = (weir::LocalAggregator{} | Collect<double>{steps}).on(pool, weir::view(weights));
  auto const model = [](auto& micro) {
    micro.gradient(0)[0] = micro.loss_scale() * (micro.worker() == 0 ? 2.0 : 5.0);
  };
  int const samples[11] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(steps.at(0)[0] == doctest::Approx(31.0 / 11.0).epsilon(1e-15));
}

TEST_CASE("without a tail both weightings give the same bits") {
  CHECK(same_bits(gradient_of(24, weir::BySamples{}), gradient_of(24, weir::Equal{})));
}

TEST_CASE("equal weights refuse a ragged or empty micro-batch by its number, its samples and b") {
  CHECK(refusal_of(24).empty());
  CHECK(refusal_of(21) == "micro-batch 5 has 1 samples, but the weighting Equal needs local batches of 4");
  CHECK(refusal_of(20) == "micro-batch 5 has 0 samples, but the weighting Equal needs local batches of 4");
  // Of two workers with ragged micro-batches the lower one is named.
  CHECK(refusal_of(15) == "micro-batch 3 has 3 samples, but the weighting Equal needs local batches of 4");
}

TEST_CASE("on several ranks the number is that among all micro-batches") {
  auto const data = network::samples(4 * 6 - 1);
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    auto const model = network::model();
    auto weights = network::initial_weights();
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 4}};
    auto sync = (weir::GradAccumulator{1, weir::Equal{}} | weir::LocalAggregator{} |
                 weir::AllReduce{communicator} | weir::Sgd{{}})
                    .on(pool, weir::view(weights));
    sync(pool(network::Batch(data), model));
    if (communicator.rank() == 1) {
      CHECK_THROWS_WITH_AS(sync.wait(),
                           "micro-batch 5 has 3 samples, but the weighting Equal needs local batches of 4",
                           weir::ContractViolation);
    } else {
      CHECK_THROWS_AS(sync.wait(), weir::PeerAborted);
    }
  });
}
