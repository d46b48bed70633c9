#include "weir/compress/collective/shared_indices.hpp"

#include "compress/collective/sparse_ranks.hpp"

static_assert(
    weir::SparseCollective<weir::SharedIndices, float, weir::HostExecutor, weir::ThreadCommunicator>);

namespace {

std::vector<Selected<float>> shared(std::size_t ranks) {
  auto of_rank = selections<float>(ranks, 400, 0.2, 4);
  for (auto& rank : of_rank) {
    auto const whole = rank.whole();
    rank.residual = whole;
    rank.values.clear();
    rank.indices = of_rank[0].indices;
    for (std::uint32_t const i : rank.indices) {
      rank.values.push_back(whole[i]);
      rank.residual[i] = 0;
    }
  }
  return of_rank;
}

}  // namespace

TEST_CASE("equal slots are summed with the bits of a dense sum, for 1 to 8 ranks") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    auto const of_rank = shared(ranks);
    for (auto const& rank : sum_on_threads(of_rank, weir::SharedIndices{}, {.shares_indices = true}))
      CHECK(same_bits(rank.sum, sum_of_selected(of_rank)));
  }
}

TEST_CASE("slots that are not said to be shared, or are not as many, are refused on all ranks") {
  auto of_rank = shared(3);
  CHECK_THROWS_AS(sum_on_threads(of_rank, weir::SharedIndices{}), weir::ContractViolation);
  of_rank[1].indices.pop_back();
  of_rank[1].values.pop_back();
  CHECK_THROWS_AS(sum_on_threads(of_rank, weir::SharedIndices{}, {.shares_indices = true}),
                  weir::ContractViolation);
}
