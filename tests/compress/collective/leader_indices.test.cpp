#include "weir/compress/collective/leader_indices.hpp"

#include "compress/collective/sparse_ranks.hpp"

static_assert(
    weir::SparseCollective<weir::LeaderIndices, float, weir::HostExecutor, weir::ThreadCommunicator>);

TEST_CASE("all ranks send what they have at the leader's slots, and keep the rest bit for bit") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    for (std::uint64_t const step : {0u, 1u, 10u}) {
      auto const of_rank = selections<float>(ranks, 500, 0.1, 6);
      auto const outcomes = sum_on_threads(of_rank, weir::LeaderIndices{}, {.step = step});
      std::vector<std::vector<float>> sent;
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        auto kept = of_rank[rank].whole();
        sent.emplace_back(500);
        for (std::uint32_t const i : of_rank[step % ranks].indices) {
          sent.back()[i] = kept[i];
          kept[i] = 0;
        }
        CHECK(same_bits(outcomes[rank].residual, kept));
      }
      for (auto const& rank : outcomes) CHECK(same_bits(rank.sum, dense_sum(sent)));
    }
  }
}

TEST_CASE("a rank that has selected nothing keeps its residual as it was") {
  auto of_rank = selections<float>(3, 50, 0.2, 6);
  of_rank[2].indices.clear();
  of_rank[2].values.clear();
  auto const outcomes = sum_on_threads(of_rank, weir::LeaderIndices{}, {.step = 1});
  CHECK(same_bits(outcomes[2].residual, of_rank[2].residual));
  for (std::uint32_t const i : of_rank[1].indices)
    CHECK(outcomes[0].sum[i] == of_rank[0].whole()[i] + of_rank[1].whole()[i]);
}

TEST_CASE("a rank that takes part sends what it has at the leader's slots, also if it has selected none") {
  auto const of_rank = ranks_with_status(true).of_rank;
  auto const outcomes = sum_on_threads(of_rank, weir::LeaderIndices{}, {.step = 0});
  CHECK(same_bits(outcomes[1].residual, of_rank[1].residual));
  for (std::uint32_t const i : of_rank[0].indices) {
    CHECK(outcomes[1].sum[i] == of_rank[0].whole()[i] + of_rank[2].residual[i]);
    CHECK(outcomes[2].residual[i] == 0.0F);
  }
}

TEST_CASE("without a residual there is nothing to send at another's slots") {
  auto const of_rank = selections<float>(2, 50, 0.2, 6);
  CHECK_THROWS_AS(sum_on_threads(of_rank, weir::LeaderIndices{}, {.has_residual = false}),
                  weir::ContractViolation);
}
