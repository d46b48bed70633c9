// The sparse sums over processes: what the suites of compress/collective show over threads, and the same bits
// as there.
#include <doctest/doctest.h>
#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "compress/collective/any_policy.hpp"
#include "compress/collective/sparse_ranks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/collective/two_level.hpp"
#include "weir/mpi/communicator.hpp"

namespace {

/// All ranks, met at its beginning and end, so that one test does not run into the next.
struct World {
  World() { MPI_Barrier(MPI_COMM_WORLD); }
  World(World const&) = delete;
  World& operator=(World const&) = delete;
  ~World() { MPI_Barrier(MPI_COMM_WORLD); }

  weir::MpiCommunicator communicator{MPI_COMM_WORLD, {.deadline = std::chrono::seconds(20)}};
};

/// `policy_of(communicator)` for either kind of ranks.
template <class PolicyOf>
void check_same_as_threads(PolicyOf const& policy_of, double density, SumOptions const& options = {}) {
  World const world;
  std::size_t const rank = world.communicator.rank();
  std::size_t const ranks = world.communicator.size();
  for (std::size_t const elements : {7u, 5000u}) {
    CAPTURE(elements);
    auto const of_rank = selections<float>(ranks, elements, density, 11);
    SumOptions sum = options;
    sum.capacity = elements;
    sum.repetitions = 2;
    auto const over_processes =
        sum_on(world.communicator, of_rank[rank],
               AnyPolicy<float, weir::MpiCommunicator>(policy_of(world.communicator)), sum);
    Outcome<float> over_threads;
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      std::size_t const own = communicator.rank();
      auto const outcome = sum_on(communicator, of_rank[own],
                                  AnyPolicy<float, weir::ThreadCommunicator>(policy_of(communicator)), sum);
      if (own == rank) over_threads = outcome;
    });
    CHECK(same_bits(over_processes.sum, over_threads.sum));
    CHECK(same_bits(over_processes.residual, over_threads.residual));
  }
}

template <class Policy>
void check_policy(Policy const& policy, SumOptions const& options = {}) {
  CAPTURE(std::string(Policy::name));
  check_same_as_threads([&](auto const&) { return policy; }, 0.02, options);
  check_same_as_threads([&](auto const&) { return policy; }, 0.5, options);
}

}  // namespace

TEST_CASE("processes sum what they have selected to the bits that ranks on threads have, by every policy") {
  check_policy(weir::FixedGather{});
  check_policy(weir::AllGatherPairs{});
  check_policy(weir::RecursiveDoubling{});
  check_policy(weir::SplitAllGather{});
  check_policy(weir::GlobalTopK{});
  check_policy(weir::BalancedTopK{});
  check_policy(weir::LeaderIndices{}, {.step = 1});
  check_policy(weir::DenseSum{});
  check_policy(weir::Automatic{});
  check_policy(weir::Automatic{{.seconds_per_bucket = 1.0}});
}

TEST_CASE("processes that send everything have the dense sum in rank order") {
  World const world;
  std::size_t const rank = world.communicator.rank();
  auto const of_rank = selections<float>(world.communicator.size(), 3000, 0.1, 3);
  auto const expected = sum_of_selected(of_rank);
  CHECK(same_bits(sum_on(world.communicator, of_rank[rank], weir::AllGatherPairs{}).sum, expected));
  CHECK(same_bits(sum_on(world.communicator, of_rank[rank], weir::SplitAllGather{}).sum, expected));
  CHECK(same_bits(sum_on(world.communicator, of_rank[rank], weir::FixedGather{}, {.capacity = 3000}).sum,
                  expected));
}

TEST_CASE("processes with shared indices, and on two levels") {
  World const world;
  std::size_t const rank = world.communicator.rank();
  std::size_t const ranks = world.communicator.size();
  auto of_rank = selections<float>(ranks, 500, 0.1, 3, true);
  {
    auto const inside = world.communicator.split(0, rank);
    auto const between = world.communicator.split(rank, 0);
    weir::TwoLevel const two_level{inside, between, weir::AllGatherPairs{}};
    CHECK(sum_on(world.communicator, of_rank[rank], two_level).sum == sum_of_selected(of_rank));
    weir::TwoLevel const other_way{between, inside, weir::AllGatherPairs{}};
    CHECK(sum_on(world.communicator, of_rank[rank], other_way).sum == sum_of_selected(of_rank));
  }
  for (auto& selected : of_rank) {
    selected.indices = of_rank[0].indices;
    selected.values.resize(selected.indices.size(), 1.0F);
  }
  CHECK(same_bits(
      sum_on(world.communicator, of_rank[rank], weir::SharedIndices{}, {.shares_indices = true}).sum,
      sum_of_selected(of_rank)));
}
