// What a recipe with sparse gradients takes: all of it when it is bound, and as much as it says beforehand.
#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "fault/counting_resource.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/compress/ef21.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

constexpr double density = 0.1;

weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes({{.elements = 1024}, {.elements = 16}, {.elements = 4096}}, 128, 1024);
}

/// That of the largest bucket, which the backend says, not the recipe.
std::size_t scratch_bytes(weir::HostExecutor const& executor) {
  std::size_t most = 0;
  for (std::size_t bucket = 0; bucket < plan().size(); ++bucket) {
    std::size_t const bytes = weir::sparsify_scratch_bytes<float>(executor, plan()[bucket].size, density);
    if (most < bytes) most = bytes;
  }
  return most;
}

template <class Recipe>
void check(Recipe const& recipe, std::size_t ranks = 1) {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  weir::StreamWorkerPool pool{executor, {.buckets = plan()}};
  std::vector<float> weights(plan().elements());
  std::size_t const before = memory.bytes();
  auto sync = recipe.on(pool, weir::view(weights));
  std::size_t const bound = memory.bytes();
  CHECK(bound - before == recipe.workspace_bytes(plan(), {}) + scratch_bytes(executor));
  std::vector<int> const samples(ranks);
  auto const model = [](auto& micro) {
    for (std::size_t p = 0; p < 3; ++p)
      for (float& g : micro.gradient(p)) g = 1.0f;
  };
  for (int step = 0; step < 3; ++step) {
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
  }
  CHECK(memory.bytes() == bound);
}

}  // namespace

TEST_CASE("a recipe with a sparse sum takes what it says when it is bound, and nothing later") {
  weir::ThresholdSparsifier const sparsifier{{.density = density}};
  weir::Sgd const sgd{{.learning_rate = 0.5}};
  weir::SelfCommunicator const self;
  check(weir::LocalAggregator{} | weir::ErrorFeedback{sparsifier} | weir::AllReduce{self} | sgd);
  check(weir::LocalAggregator{} | sparsifier | weir::AllReduce{self} | sgd);
  check(weir::LocalAggregator{} | weir::EF21{sparsifier, weir::AllReduce{self}} | sgd);
  on_ranks(3, [&](auto const& communicator) {
    check(weir::LocalAggregator{} | weir::ErrorFeedback{sparsifier} | weir::AllReduce{communicator} | sgd,
          communicator.size());
  });
}
