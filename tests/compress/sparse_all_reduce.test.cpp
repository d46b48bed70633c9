// The sparse all-reduce in a recipe: what the suites of collective/ show of one sum, over many steps with
// error feedback.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "compress/collective/any_policy.hpp"
#include "support/bits.hpp"
#include "support/collect.hpp"
#include "support/ranks.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/collective/two_level.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using Communicator = weir::ThreadCommunicator;
using Policy = AnyPolicy<float, Communicator>;
using Method = weir::SparseMethod;

constexpr std::size_t sizes[] = {300, 41};  // of the parameters, a bucket each
constexpr std::size_t elements = 341;
constexpr std::size_t steps = 15;

struct History {
  std::vector<std::vector<float>> sent;  // by step, in registration order
  std::vector<float> residual;           // at the end
  std::vector<float> gradients;          // the sum of this rank's
};

std::vector<float> integers(std::size_t rank, std::size_t step) {
  std::mt19937 random(static_cast<std::uint32_t>(1000 * rank + step));
  std::normal_distribution<double> normal;
  std::vector<float> values(elements);
  for (float& value : values) value = static_cast<float>(std::round(20.0 * normal(random)));
  return values;
}

History train(Communicator const& communicator, Policy const& policy) {
  History history;
  history.gradients.resize(elements);
  weir::HostExecutor const executor;
  std::vector<float> weights(elements), gradient;
  weir::StreamWorkerPool pool{executor,
                              {.buckets = weir::BucketPlan::by_bytes({4 * sizes[0], 4 * sizes[1]}, 1, 1)}};
  auto const feedback = weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.05}, weir::ExactTopK{}}};
  auto sync = (weir::LocalAggregator{weir::SumScale{}} | feedback | weir::AllReduce{communicator, policy} |
               Collect<float>{history.sent})
                  .on(pool, weir::view(weights));
  auto const model = [&](auto& micro) {
    std::size_t offset = 0;
    for (std::size_t p = 0; p < 2; ++p) {
      auto const to = micro.template gradient<float>(p);
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = gradient[offset + i];
      offset += to.size();
    }
  };
  std::vector<int> const samples(communicator.size());
  for (std::size_t step = 0; step < steps; ++step) {
    gradient = integers(communicator.rank(), step);
    for (std::size_t i = 0; i < elements; ++i) history.gradients[i] += gradient[i];
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
  }
  auto& bound = sync.template stage<std::remove_const_t<decltype(feedback)>>();
  history.residual.resize(elements);
  for (std::size_t p = 0; p < 2; ++p) {
    auto const place = pool.plan().place(p);
    auto const residual = bound.residual(place.bucket);
    for (std::size_t i = 0; i < sizes[p]; ++i)
      history.residual[(p == 0 ? 0 : sizes[0]) + i] = residual[place.offset + i];
  }
  return history;
}

/// What all ranks have sent and kept is what there was, exactly; returns how many slots were sent.
std::size_t check_nothing_is_lost(std::size_t ranks, Policy const& policy) {
  std::vector<History> of_rank(ranks);
  on_ranks(ranks, [&](Communicator const& communicator) {
    of_rank[communicator.rank()] = train(communicator, policy);
  });
  std::vector<float> total(elements);
  std::vector<float> expected(elements);
  std::size_t slots = 0;
  for (auto const& history : of_rank) {
    REQUIRE(history.sent.size() == steps);
    for (std::size_t step = 0; step < steps; ++step)
      CHECK(same_bits(history.sent[step], of_rank[0].sent[step]));
    for (std::size_t i = 0; i < elements; ++i) {
      total[i] += history.residual[i];
      expected[i] += history.gradients[i];
    }
  }
  for (auto const& sent : of_rank[0].sent) {
    for (std::size_t i = 0; i < elements; ++i) {
      total[i] += sent[i];
      slots += sent[i] != 0.0F ? 1 : 0;
    }
  }
  CHECK(total == expected);
  return slots;
}

}  // namespace

TEST_CASE("with error feedback nothing is lost by any policy, over many steps and 1 to 8 ranks") {
  weir::Link const no_latency{0.0, 1e-9};
  auto const only = [&](Method method) {
    return Policy(weir::Automatic({.link = no_latency, .allowed = weir::SparseMethodSet::of(method)}));
  };
  std::size_t const k = steps * (15 + 2);
  for (std::size_t const ranks : {1u, 3u, 8u}) {
    CAPTURE(ranks);
    CHECK(check_nothing_is_lost(ranks, weir::FixedGather{}) >= k);
    CHECK(check_nothing_is_lost(ranks, weir::AllGatherPairs{}) >= k);
    CHECK(check_nothing_is_lost(ranks, weir::RecursiveDoubling{}) >= k);
    CHECK(check_nothing_is_lost(ranks, weir::SplitAllGather{}) >= k);
    CHECK(check_nothing_is_lost(ranks, weir::LeaderIndices{}) <= k);
    CHECK(check_nothing_is_lost(ranks, weir::GlobalTopK{}) <= k);
    CHECK(check_nothing_is_lost(ranks, weir::BalancedTopK{}) <= k);
  }
  CHECK(check_nothing_is_lost(4, only(Method::global_top_k)) <= k);
}

TEST_CASE("a dense fallback that all ranks take leaves nothing behind") {
  CHECK(check_nothing_is_lost(4, weir::Automatic({.seconds_per_bucket = 1.0})) > steps * 300);
}

TEST_CASE("without a policy the capacities are gathered, with the bits of the all-gather of pairs") {
  std::vector<History> plain(3), counted(3);
  on_ranks(3, [&](Communicator const& communicator) {
    plain[communicator.rank()] = train(communicator, weir::FixedGather{});
    counted[communicator.rank()] = train(communicator, weir::AllGatherPairs{});
  });
  for (std::size_t step = 0; step < steps; ++step)
    CHECK(same_bits(plain[1].sent[step], counted[2].sent[step]));
}
