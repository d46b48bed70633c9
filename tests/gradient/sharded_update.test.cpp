#include "weir/gradient/sharded_update.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

constexpr std::size_t local_batch = 3;

/// The weights of each rank after ten steps; `update(communicator)` ends the recipe.
template <class Update>
std::vector<std::vector<float>> trained(std::size_t ranks, Update const& update) {
  std::vector<std::vector<float>> weights(ranks, network::initial_weights<float>());
  auto const data = network::samples(ranks * 4 * local_batch);
  on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool(executor,
                                {.workers = 2, .buckets = network::plan(), .local_batch = local_batch});
    auto const model = network::model();
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | update(communicator))
                    .on(pool, weir::view(weights[communicator.rank()]));
    for (int step = 0; step < 10; ++step) sync(pool(network::Batch(data), model));
    sync.wait();
  });
  return weights;
}

/// A stage of a user's own that says by itself which parameters are used.
struct OwnMap {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  std::vector<std::uint32_t> const* used;

  template <weir::HostOrderedExecutor E>
  auto on(weir::BucketContext<E> const&) const {
    return [used = used](weir::DenseGradient<E> gradient) {
      gradient.used = used->data();
      return gradient;
    };
  }
};

}  // namespace

TEST_CASE("A sharded update gives the bits of the whole one, on any number of ranks") {
  for (std::size_t ranks : {1u, 2u, 3u, 7u}) {
    auto const whole = trained(ranks, [](auto const& communicator) {
      return weir::AllReduce{communicator} | weir::AdamW{{.learning_rate = 0.05}};
    });
    auto const sharded = trained(ranks, [](auto const& communicator) {
      return weir::ShardedUpdate{communicator, weir::AdamW{{.learning_rate = 0.05}}};
    });
    for (auto const& weights : sharded) CHECK(same_bits(weights, whole[0]));
  }
}

TEST_CASE("Weights in views of their own are updated too, and the state is that of one part") {
  std::vector<float> sum;
  on_ranks(3, [&](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    auto const plan = weir::BucketPlan::by_bytes({28, 4, 16});  // one bucket of 7 + 1 + 4 elements
    std::vector<float> one(7, 1.0f), two(1, 1.0f), three(4, 1.0f);
    weir::StreamWorkerPool pool(executor, {.buckets = plan});
    auto const recipe =
        weir::LocalAggregator{} | weir::ShardedUpdate{communicator, weir::AdamW{{.learning_rate = 0.5}}};
    auto sync = recipe.on(pool, std::vector{weir::view(one), weir::view(two), weir::view(three)});
    auto const model = [](auto& micro) {
      for (std::size_t p = 0; p < 3; ++p) {
        for (float& g : micro.gradient(p)) g = 1.0f;
      }
    };
    int const samples[3] = {};
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    CHECK(one == std::vector<float>(7, one[0]));
    CHECK(two[0] == one[0]);
    CHECK(three == std::vector<float>(4, one[0]));
    CHECK(one[0] < 0.51f);

    weir::Archive archive;
    sync.save(archive);
    CHECK(archive.get<float>("adamw.first_moment", 0).size() == 4);
  });
}

TEST_CASE("A map of used parameters that comes from elsewhere is refused in the step") {
  std::vector<std::uint32_t> const used(network::plan().parameters(), 1);
  weir::HostExecutor const executor;
  auto weights = network::initial_weights();
  weir::StreamWorkerPool pool(executor, {.buckets = network::plan()});
  auto const update = weir::ShardedUpdate{weir::SelfCommunicator{}, weir::AdamW{}};
  auto sync = (weir::LocalAggregator{} | OwnMap{&used} | update).on(pool, weir::view(weights));
  auto const data = network::samples(1);
  auto const model = network::model();
  sync(pool(network::Batch(data), model));
  CHECK_THROWS_WITH_AS(sync.wait(), doctest::Contains("AllReduce and the optimizer itself would be right"),
                       weir::ContractViolation);
}

TEST_CASE("A sharded update says beforehand what it allocates") {
  weir::SelfCommunicator const alone;
  weir::ShardedUpdate const update{alone, weir::AdamW{}};
  auto const plan = weir::BucketPlan::by_bytes({400, 40}, 1, 1);
  CHECK(update.workspace_bytes<float>(plan, {}) ==
        sizeof(weir::OptimizerState) + 2 * 440 + 400 + weir::layout_exchange_bytes(1));
}

TEST_CASE("A checkpoint tells by which optimizer the weights were updated") {
  CHECK(weir::ShardedUpdate{weir::SelfCommunicator{}, weir::AdamW{}}.text() ==
        "adamw, beta1 0.900000, beta2 0.999000, weight decay 0.010000");
}
