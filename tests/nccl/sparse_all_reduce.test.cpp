// What ranks over NCCL sum of their largest elements: on the stand-ins, with the bits of the host.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/sparsify.hpp"
#include "support/cuda/training.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/comm/threads.hpp"
#include "weir/compress/collective/all_gather_pairs.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/collective/two_level.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/measure_link.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"

using nccl_ranks::Machine;
using weir::CudaExecutor;
using weir::NcclCommunicator;
using weir::ThreadCommunicator;

namespace {

constexpr int steps = 4;

weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes({{.elements = 40}, {.elements = 3}, {.elements = 301}}, 64, 512);
}

template <class E, class Recipe>
auto make_trainer(E const& executor, Recipe const& recipe) {
  return stand_in::Trainer<E, Recipe>(executor, weir::WorkerOptions{.workers = 2, .buckets = plan()}, recipe);
}

template <class E, class Recipe>
std::vector<float> train(E const& executor, Recipe const& recipe, std::size_t ranks) {
  auto trainer = make_trainer(executor, recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
  auto const samples = stand_in::samples_of(2 * ranks);
  for (int step = 0; step < steps; ++step) trainer.step(samples, model);
  return trainer.weights();
}

auto recipe_of(auto const& communicator, auto const& policy) {
  return weir::LocalAggregator{} | weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.1}}} |
         weir::AllReduce{communicator, policy} | weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}};
}

/// The bits on the host, `policy_of` a communicator.
template <class PolicyOf>
std::vector<float> on_hosts(std::size_t ranks, PolicyOf const& policy_of) {
  std::vector<float> result;
  on_all_thread_ranks(ranks, [&](ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
    auto const weights = train(executor, recipe_of(communicator, policy_of(communicator)), ranks);
    if (communicator.rank() == 0) result = weights;
  });
  return result;
}

/// Those of a gather in rank order.
std::vector<float> expected(std::size_t ranks) {
  return on_hosts(ranks, [](auto const&) { return weir::FixedGather{}; });
}

template <class PolicyOf>
void check_on_devices(std::size_t ranks, PolicyOf const& policy_of, std::vector<float> const& bits) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Machine machine(ranks, {.in_progress = static_cast<int>(seed % 3)}, seed);
    nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      CHECK(same_bits(train(executor, recipe_of(communicator, policy_of(communicator)), ranks), bits));
    });
  }
}

template <class Policy>
void check(std::size_t ranks, Policy const& policy, std::vector<float> const& bits) {
  check_on_devices(
      ranks, [&](auto const&) { return policy; }, bits);
}

/// With the bits that the same policy has on the host.
template <class Policy>
void check_like_hosts(Policy const& policy) {
  CAPTURE(Policy::name);
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    CAPTURE(ranks);
    check(ranks, policy, on_hosts(ranks, [&](auto const&) { return policy; }));
  }
}

}  // namespace

TEST_CASE("sparse sums over NCCL give the bits of those on the host") {
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    CAPTURE(ranks);
    auto const bits = expected(ranks);
    check(ranks, weir::FixedGather{}, bits);
    check(ranks, weir::AllGatherPairs{}, bits);
  }
  // By the bytes alone a gather is the cheapest.
  weir::Automatic const automatic{{.link = {0.0, 1.0}, .choice = weir::ChoiceTime::each_step}};
  check(2, automatic, expected(2));
}

TEST_CASE("sums whose sizes only the ranks' data tell are those of the host, whose method they take") {
  check_like_hosts(weir::RecursiveDoubling{});
  check_like_hosts(weir::SplitAllGather{});
  check_like_hosts(weir::GlobalTopK{});
  check_like_hosts(weir::BalancedTopK{});
}

TEST_CASE("a leader's indices give the bits of the host, with a leader in turn") {
  check_like_hosts(weir::LeaderIndices{});
}

TEST_CASE("nodes of ranks over NCCL give the bits of the host") {
  auto const over = [](auto const& policy) {
    return [=](auto const& world) {
      weir::Mesh const mesh(world, {{"node", 2}, {"place", 2}});
      return weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), policy};
    };
  };
  check_on_devices(4, over(weir::FixedGather{}), on_hosts(4, over(weir::FixedGather{})));
  check_on_devices(4, over(weir::BalancedTopK{}), on_hosts(4, over(weir::BalancedTopK{})));
}

TEST_CASE("a captured step with a sparse sum over NCCL gives the bits of eager ones") {
  auto const bits = expected(2);
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, recipe_of(communicator, weir::FixedGather{}));
    stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
    auto const samples = stand_in::samples_of(4);
    trainer.step(samples, model);
    auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
    for (int step = 1; step < steps; ++step) graph.replay();
    trainer.sync().replayed(steps - 1);
    CHECK(same_bits(trainer.weights(), bits));
  });
}

TEST_CASE("the link of ranks over NCCL can be measured, and is the same on all") {
  Machine machine(2);
  std::vector<weir::Link> links(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    links[communicator.rank()] =
        weir::measure_link(executor, communicator, {.bytes = 1 << 12, .repetitions = 3});
  });
  CHECK(links[0].alpha == links[1].alpha);
  CHECK(links[0].beta == links[1].beta);
  CHECK(links[0].alpha + links[0].beta > 0.0);
}
