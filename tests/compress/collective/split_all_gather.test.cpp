#include "weir/compress/collective/split_all_gather.hpp"

#include "compress/collective/sparse_ranks.hpp"

static_assert(
    weir::SparseCollective<weir::SplitAllGather, float, weir::HostExecutor, weir::ThreadCommunicator>);

TEST_CASE("the split has the bits of a dense sum in rank order, for 1 to 8 ranks") {
  check_exact_sum<float>(weir::SplitAllGather{}, true);
  check_exact_sum<double>(weir::SplitAllGather{}, true, 64);
}

TEST_CASE("the split takes empty selections, buckets smaller than the ranks, and no residual") {
  for (std::size_t elements : {1u, 2u, 5u}) {
    auto of_rank = selections<float>(4, elements, 0.9, 3);
    of_rank[2].indices.clear();
    of_rank[2].values.clear();
    for (auto const& rank :
         sum_on_threads(of_rank, weir::SplitAllGather{}, {.has_residual = false, .capacity = 5}))
      CHECK(rank.sum == sum_of_selected(of_rank));
  }
  auto nothing = selections<float>(3, 9, 0.0, 1);
  for (auto const& rank : sum_on_threads(nothing, weir::SplitAllGather{}))
    CHECK(rank.sum == std::vector<float>(9));
}
