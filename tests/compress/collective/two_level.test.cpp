#include "weir/compress/collective/two_level.hpp"

#include <atomic>

#include "compress/collective/sparse_ranks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/compress/collective/all_gather_pairs.hpp"
#include "weir/compress/collective/balanced_top_k.hpp"

namespace {

template <class Policy>
std::vector<Outcome<float>> sum_on_nodes(std::vector<Selected<float>> const& of_rank, std::size_t per_node,
                                         Policy const& policy, std::size_t capacity = 0) {
  std::vector<Outcome<float>> outcomes(of_rank.size());
  on_ranks(of_rank.size(), [&](weir::ThreadCommunicator const& world) {
    weir::Mesh const mesh(world, {{"node", world.size() / per_node}, {"place", per_node}});
    weir::TwoLevel const two_level{mesh.axis("place"), mesh.axis("node"), policy};
    outcomes[world.rank()] =
        sum_on(world, of_rank[world.rank()], two_level, {.capacity = capacity, .repetitions = 2});
  });
  return outcomes;
}

}  // namespace

TEST_CASE("nodes of ranks have the sum of all that was selected, the same bits on all ranks") {
  for (std::size_t const per_node : {1u, 2u, 3u}) {
    for (std::size_t const nodes : {1u, 2u}) {
      CAPTURE(per_node);
      CAPTURE(nodes);
      auto const of_rank = selections<float>(per_node * nodes, 401, 0.1, 4, true);
      auto const outcomes = sum_on_nodes(of_rank, per_node, weir::AllGatherPairs{});
      for (std::size_t rank = 0; rank < of_rank.size(); ++rank) {
        CHECK(outcomes[rank].sum == sum_of_selected(of_rank));
        CHECK(same_bits(outcomes[rank].residual, of_rank[rank].residual));
      }
    }
  }
}

TEST_CASE("between nodes the capacity is the same, whatever they have selected") {
  for (std::size_t const capacity : {60u, 300u}) {  // less, and more than a part
    auto const of_rank = selections<float>(6, 401, 0.1, 4, true);
    for (auto const& rank : sum_on_nodes(of_rank, 2, weir::FixedGather{}, capacity))
      CHECK(rank.sum == sum_of_selected(of_rank));
  }
}

TEST_CASE("what is rejected between nodes is not lost") {
  auto const of_rank = selections<float>(6, 401, 0.1, 4, true);
  auto const outcomes = sum_on_nodes(of_rank, 2, weir::BalancedTopK{});
  check_conserved(of_rank, outcomes);
  CHECK(outcomes[0].sum != sum_of_selected(of_rank));
}

TEST_CASE("buckets smaller than a node are summed") {
  auto const of_rank = selections<float>(6, 2, 0.9, 4, true);
  CHECK(sum_on_nodes(of_rank, 3, weir::AllGatherPairs{})[5].sum == sum_of_selected(of_rank));
}

TEST_CASE("groups that are not all ranks are refused") {
  on_ranks(4, [](weir::ThreadCommunicator const& world) {
    auto const pair = world.split(world.rank() / 2, world.rank());
    weir::TwoLevel const two_level{pair, pair.split(pair.rank(), 0), weir::AllGatherPairs{}};
    weir::SparseContext<float, weir::HostExecutor, weir::ThreadCommunicator> const context{
        weir::HostExecutor(), world, 8, 2};
    CHECK_THROWS_WITH_AS(two_level.on(context),
                         "TwoLevel: 1 nodes of 2 ranks are not the 4 ranks of the communicator",
                         weir::ContractViolation);
  });
}

TEST_CASE("a rank that gives up ends the others' wait, inside the node and between nodes") {
  std::atomic<int> aborted = 0;
  on_ranks(4, [&](weir::ThreadCommunicator const& world) {
    weir::Mesh const mesh(world, {{"node", 2}, {"place", 2}});
    weir::TwoLevel const two_level{mesh.axis("place"), mesh.axis("node"), weir::AllGatherPairs{}};
    weir::HostExecutor const executor;
    auto const mine = selections<float>(4, 50, 0.2, 1)[world.rank()];
    std::vector<float> out(50);
    std::uint64_t const count = mine.indices.size();
    weir::SparseSum<float, weir::HostSpace> sum{weir::view(mine.indices), weir::view(mine.values), &count};
    sum.out = weir::view(out);
    auto bound = two_level.on(
        weir::SparseContext<float, weir::HostExecutor, weir::ThreadCommunicator>{executor, world, 50, 50});
    if (world.rank() == 0) return bound.abort();
    try {
      executor.submit([&](weir::HostExecutor const& point) { bound(point, sum); });
      executor.synchronize();
    } catch (weir::PeerAborted const&) {
      ++aborted;
      bound.abort();
    }
  });
  CHECK(aborted == 3);
}
