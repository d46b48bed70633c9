#include "weir/compress/collective/dense_sum.hpp"

#include "compress/collective/sparse_ranks.hpp"

static_assert(weir::SparseCollective<weir::DenseSum, double, weir::HostExecutor, weir::ThreadCommunicator>);

TEST_CASE("all of the bucket is summed in rank order, with or without a residual, which is +0 then") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    auto const of_rank = selections<float>(ranks, 300, 0.1, 2);
    std::vector<std::vector<float>> whole;
    for (auto const& rank : of_rank) whole.push_back(rank.whole());
    for (bool const has_residual : {true, false}) {
      for (auto const& rank : sum_on_threads(of_rank, weir::DenseSum{}, {.has_residual = has_residual})) {
        CHECK(same_bits(rank.sum, dense_sum(whole)));
        if (has_residual) CHECK(same_bits(rank.residual, std::vector<float>(300)));
      }
    }
  }
}

TEST_CASE("a rank that was skipped sends nothing, and keeps its residual bit for bit") {
  auto of_rank = selections<float>(3, 300, 0.1, 2);
  of_rank[1].indices.clear();
  of_rank[1].values.clear();
  of_rank[1].residual[5] = -0.0F;
  auto const outcomes = sum_on_threads(of_rank, weir::DenseSum{});
  CHECK(same_bits(outcomes[1].residual, of_rank[1].residual));
  CHECK(same_bits(outcomes[0].sum,
                  dense_sum<float>({of_rank[0].whole(), std::vector<float>(300), of_rank[2].whole()})));
}

TEST_CASE("how its selection ended, and not what it has selected, says whether a rank was skipped") {
  for (bool const has_residual : {true, false}) {
    CAPTURE(has_residual);
    auto const [of_rank, expected] = ranks_with_status(has_residual);
    auto const outcomes = sum_on_threads(of_rank, weir::DenseSum{}, {.has_residual = has_residual});
    for (auto const& rank : outcomes) CHECK(same_bits(rank.sum, expected));
    if (has_residual) check_residuals_of_status(of_rank, outcomes);
  }
}
