// What ranks over NCCL sum of their largest elements: on the stand-ins, with the bits of the host.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "nccl/sparse_sums.hpp"
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
#include "weir/cuda/staged_communicator.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"

using namespace std::chrono_literals;
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
std::vector<float> train(E const& executor, Recipe const& recipe, std::size_t ranks, int count = steps) {
  auto trainer = make_trainer(executor, recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
  auto const samples = stand_in::samples_of(2 * ranks);
  for (int step = 0; step < count; ++step) trainer.step(samples, model);
  return trainer.weights();
}

auto recipe_of(auto const& communicator, auto const& policy) {
  return weir::LocalAggregator{} | weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.1}}} |
         weir::AllReduce{communicator, policy} | weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}};
}

/// The bits on the host, `policy_of` a communicator.
template <class PolicyOf>
std::vector<float> on_hosts(std::size_t ranks, PolicyOf const& policy_of, int count = steps) {
  std::vector<float> result;
  on_all_thread_ranks(ranks, [&](ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
    auto const weights = train(executor, recipe_of(communicator, policy_of(communicator)), ranks, count);
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
    nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const&) {
      weir::CudaOptions options;
      options.launch_thread = seed == 3;
      CudaExecutor const executor(options);
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
  std::string const name = Policy::name;
  CAPTURE(name);
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    CAPTURE(ranks);
    check(ranks, policy, on_hosts(ranks, [&](auto const&) { return policy; }));
  }
}

/// Two nodes of two ranks, whose policy is a function of all ranks.
auto over_nodes(auto const& policy) {
  return [=](auto const& world) {
    weir::Mesh const mesh(world, {{"node", 2}, {"place", 2}});
    return weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), policy};
  };
}

template <class Policy>
void check_staged(Policy const& policy, bool has_launch_thread) {
  std::string const name = Policy::name;
  CAPTURE(name);
  CAPTURE(has_launch_thread);
  auto const bits = on_hosts(3, [&](auto const&) { return policy; });
  Machine machine(3);
  auto const group = ThreadCommunicator::group(3);
  auto const failures = on_rank_threads(3, [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank));
    weir::CudaOptions options;
    options.launch_thread = has_launch_thread;
    weir::StagedCommunicator const communicator(group[rank], {4096});
    CHECK(same_bits(train(CudaExecutor(options), recipe_of(communicator, policy), 3), bits));
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

template <class Real, class PolicyOf>
void check_sums_of(std::vector<Selected<Real>> const& of_rank, PolicyOf const& policy_of,
                   std::size_t capacity) {
  Machine machine(of_rank.size());
  nccl_ranks::check_sums_of(of_rank, policy_of, capacity);
}

/// Also where a rank has selected nothing, or values that are not finite.
template <class Real, class Policy>
void check_sums(Policy const& policy) {
  std::string const name = Policy::name;
  CAPTURE(name);
  auto const policy_of = [&](auto const&) { return policy; };
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    CAPTURE(ranks);
    auto of_rank = selections<Real>(ranks, 300, 0.2, 4, true);
    check_sums_of(of_rank, policy_of, 120);
    of_rank[0].values[3] = std::numeric_limits<Real>::infinity();
    of_rank[ranks - 1].values[5] = std::numeric_limits<Real>::quiet_NaN();
    check_sums_of(of_rank, policy_of, 120);
    of_rank[ranks - 1].indices.clear();
    of_rank[ranks - 1].values.clear();
    check_sums_of(of_rank, policy_of, 120);
  }
}

template <class PolicyOf>
void check_stop(std::size_t ranks, PolicyOf const& policy_of) {
  Machine machine(ranks);
  std::atomic<std::size_t> over = 0;
  auto const failures = nccl_ranks::failures_of_ranks(
      ranks, {1s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        auto trainer = make_trainer(executor, recipe_of(communicator, policy_of(communicator)));
        stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
        auto const samples = stand_in::samples_of(2 * ranks);
        trainer.step(samples, model);
        trainer.sync().wait();
        if (communicator.rank() == ranks - 1) {
          while (over != ranks - 1) std::this_thread::sleep_for(1ms);
          return;
        }
        auto const begin = std::chrono::steady_clock::now();
        CHECK_THROWS_AS(
            {
              trainer.step(samples, model);
              trainer.sync().wait();
            },
            weir::PeerTimeout);
        CHECK(std::chrono::steady_clock::now() - begin < 20s);
        ++over;
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

template <class PolicyOf>
void check_captured(PolicyOf const& policy_of, std::size_t ranks, std::vector<float> const& bits) {
  Machine machine(ranks);
  nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, recipe_of(communicator, policy_of(communicator)));
    stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
    auto const samples = stand_in::samples_of(2 * ranks);
    trainer.step(samples, model);
    auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
    for (int step = 1; step < steps; ++step) graph.replay();
    trainer.sync().replayed(steps - 1);
    CHECK(same_bits(trainer.weights(), bits));
  });
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
  check_on_devices(4, over_nodes(weir::FixedGather{}), on_hosts(4, over_nodes(weir::FixedGather{})));
  check_on_devices(4, over_nodes(weir::BalancedTopK{}), on_hosts(4, over_nodes(weir::BalancedTopK{})));
}

TEST_CASE("sparse sums of device data that is staged have the bits of the host, too") {
  for (bool const has_launch_thread : {false, true}) {
    check_staged(weir::FixedGather{}, has_launch_thread);
    check_staged(weir::AllGatherPairs{}, has_launch_thread);
    check_staged(weir::RecursiveDoubling{}, has_launch_thread);
    check_staged(weir::BalancedTopK{}, has_launch_thread);
    check_staged(weir::LeaderIndices{}, has_launch_thread);
  }
}

TEST_CASE_TEMPLATE("what a device sums and keeps is what a host does, finite or not, all or nothing", Real,
                   float, double) {
  check_sums<Real>(weir::RecursiveDoubling{});
  check_sums<Real>(weir::SplitAllGather{});
  check_sums<Real>(weir::GlobalTopK{});
  check_sums<Real>(weir::BalancedTopK{});
  check_sums<Real>(weir::LeaderIndices{});
}

TEST_CASE_TEMPLATE("so do nodes, whose parts may be empty", Real, float, double) {
  for (std::size_t const elements : {2u, 401u}) {
    auto const of_rank = selections<Real>(4, elements, 0.4, 4, true);
    check_sums_of(of_rank, over_nodes(weir::FixedGather{}), of_rank[3].residual.size());
    check_sums_of(of_rank, over_nodes(weir::GlobalTopK{}), of_rank[3].residual.size());
  }
}

TEST_CASE("a rank that stops is an error on the others within the deadline, whoever waits for it") {
  check_stop(2, [](auto const&) { return weir::AllGatherPairs{}; });
  check_stop(2, [](auto const&) { return weir::RecursiveDoubling{}; });
  check_stop(2, [](auto const&) { return weir::GlobalTopK{}; });
  check_stop(2, [](auto const&) { return weir::LeaderIndices{}; });
  check_stop(4, over_nodes(weir::FixedGather{}));
  check_stop(4, over_nodes(weir::SplitAllGather{}));
  check_stop(4, [](auto const& world) {
    weir::Mesh const mesh(world, {{"node", 2}, {"place", 2}});
    weir::Mesh const nodes(mesh.axis("node"), {{"rack", 1}, {"node", 2}});
    weir::TwoLevel const in_racks{nodes.axis("node"), nodes.axis("rack"), weir::AllGatherPairs{}};
    return weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), in_racks};
  });
}

TEST_CASE("a captured step with a sparse sum over NCCL gives the bits of eager ones") {
  check_captured([](auto const&) { return weir::FixedGather{}; }, 2, expected(2));
  auto const nodes = over_nodes(weir::FixedGather{});
  check_captured(nodes, 4, on_hosts(4, nodes));
  // One that chooses does it by the capacities, without waiting.
  weir::AutomaticOptions options{.link = {0.0, 1.0},
                                 .allowed = weir::SparseMethodSet::of(weir::SparseMethod::all_gather)};
  auto const chosen = over_nodes(weir::Automatic{options});
  options.choice = weir::ChoiceTime::binding;
  check_captured(chosen, 4, on_hosts(4, over_nodes(weir::Automatic{options})));
}

TEST_CASE("a leader's indices are captured after one step, with the leader of that step") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, recipe_of(communicator, weir::LeaderIndices{}));
    stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
    auto const samples = stand_in::samples_of(4);
    trainer.step(samples, model);
    auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
    graph.replay();
    trainer.sync().replayed(1);
    CHECK(same_bits(trainer.weights(), on_hosts(
                                           2, [](auto const&) { return weir::LeaderIndices{}; }, 2)));
  });
}

TEST_CASE("a sum that waits cannot be captured") {
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, recipe_of(communicator, weir::SplitAllGather{}));
    stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
    auto const samples = stand_in::samples_of(4);
    trainer.step(samples, model);
    trainer.sync().wait();
    CHECK_THROWS_AS(weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); }),
                    weir::NotCapturable);
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
