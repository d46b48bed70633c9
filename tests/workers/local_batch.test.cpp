#include "weir/workers/local_batch.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
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
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using LocalSamples = weir::LocalBatch<network::Batch>;
static_assert(std::is_trivially_copyable_v<LocalSamples>);
static_assert(sizeof(LocalSamples) <= 32);

/// One step of two ranks, of 2 workers with 2 micro-batches of 3 samples, that load their own samples.
std::vector<float> gradient_of(std::size_t on_rank_0, std::size_t on_rank_1, bool total_is_known) {
  auto const data = network::samples(on_rank_0 + on_rank_1);
  std::vector<float> found[2];
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    bool const is_first = communicator.rank() == 0;
    auto const mine =
        is_first ? network::Batch(data).first(on_rank_0) : network::Batch(data).subspan(on_rank_0);
    LocalSamples const batch{mine, total_is_known ? data.size() : 0};
    auto const model = network::model();
    auto weights = network::initial_weights();
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = network::plan(), .local_batch = 3}};
    std::vector<std::vector<float>> steps;
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
                 Collect<float>{steps})
                    .on(pool, weir::view(weights));
    for (int step = 0; step < 2; ++step) sync(pool(batch, model));
    sync.wait();
    CHECK(sync.consumed() == 2 * data.size());
    CHECK(pool.take_loss().samples == 2 * mine.size());
    CHECK(same_bits(steps.at(0), steps.at(1)));
    found[communicator.rank()] = steps.at(0);
  });
  CHECK(same_bits(found[0], found[1]));
  return found[0];
}

}

TEST_CASE("samples that each rank brings itself are averaged exactly, whether or not all are counted") {
  for (auto const& [first, second] : {std::pair{12u, 12u}, {12u, 7u}, {5u, 12u}, {0u, 4u}, {11u, 0u}}) {
    auto const data = network::samples(first + second);
    auto const counted = gradient_of(first, second, false);
    CHECK(network::relative_error(network::initial_weights(), network::Batch(data), 3, counted) <= 1e-6);
    CHECK(same_bits(gradient_of(first, second, true), counted));
  }
}

TEST_CASE("micro-batch t of worker w takes the entries from (w * m + t) * b on") {
  weir::HostExecutor const executor;
  std::vector<float> weights(1);
  weir::StreamWorkerPool pool{executor,
                              {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4}), .local_batch = 3}};
  std::vector<std::vector<int>> seen(4);
  auto const model = [&](auto& micro) {
    seen[micro.worker() * 2 + micro.index()].assign(micro.samples().begin(), micro.samples().end());
  };
  std::vector<std::vector<float>> steps;
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | Collect<float>{steps})
                  .on(pool, weir::view(weights));
  std::vector<int> const data = {0, 1, 2, 3, 4, 5, 6, 7};
  sync(pool(weir::LocalBatch{std::span<int const>(data)}, model));
  sync.wait();
  CHECK(seen == std::vector<std::vector<int>>{{0, 1, 2}, {3, 4, 5}, {6, 7}, {}});
  CHECK(sync.consumed() == 8);
}

TEST_CASE("more samples than this rank takes per step are refused") {
  weir::HostExecutor const executor;
  std::vector<float> weights(1);
  weir::StreamWorkerPool pool{executor,
                              {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4}), .local_batch = 3}};
  std::vector<std::vector<float>> steps;
  auto sync = (weir::LocalAggregator{} | Collect<float>{steps}).on(pool, weir::view(weights));
  auto const model = [](auto&) {};
  std::vector<int> const data(7);
  CHECK_THROWS_WITH_AS(sync(pool(weir::LocalBatch{std::span<int const>(data)}, model)),
                       "a local batch of 7 samples, but this rank takes 6 per step", weir::ContractViolation);
  CHECK_THROWS_AS(sync(pool(weir::LocalBatch{std::span<int const>(data), 6}, model)),
                  weir::ContractViolation);
  sync(pool(weir::LocalBatch{std::span<int const>(data).first(6), 6}, model));
  CHECK_NOTHROW(sync.wait());
  CHECK(sync.steps() == 1);
}
