// What is not finite is sent where the selection says so, and stays in no residual.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "compress/collective/any_policy.hpp"
#include "compress/collective/sparse_ranks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/compress/collective/automatic.hpp"

namespace {

using Policy = AnyPolicy<float, weir::ThreadCommunicator>;
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Ranks 0 and 2 have something that is not finite; everything else is small.
std::vector<Selected<float>> with_non_finite(std::size_t of_each) {
  auto of_rank = selections<float>(4, 300, 0.1, 8);
  for (std::size_t j = 0; j < of_each; ++j) {
    of_rank[0].values[j] = j % 2 == 0 ? infinity : -infinity;
    of_rank[2].values[j] = std::numeric_limits<float>::quiet_NaN();
  }
  return of_rank;
}

}  // namespace

TEST_CASE("what is not finite arrives on all ranks in its slots, and no residual keeps it") {
  std::pair<char const*, Policy> const policies[] = {{"fixed", weir::FixedGather{}},
                                                     {"all-gather", weir::AllGatherPairs{}},
                                                     {"doubling", weir::RecursiveDoubling{}},
                                                     {"split", weir::SplitAllGather{}},
                                                     {"global", weir::GlobalTopK{}},
                                                     {"balanced", weir::BalancedTopK{}},
                                                     {"dense", weir::DenseSum{}}};
  auto const of_rank = with_non_finite(3);
  for (auto const& policy : policies) {
    CAPTURE(std::string(policy.first));
    for (auto const& rank : sum_on_threads(of_rank, policy.second, {.capacity = 300})) {
      for (std::size_t j = 0; j < 3; ++j) {
        CHECK_FALSE(std::isfinite(rank.sum[of_rank[0].indices[j]]));
        CHECK(std::isnan(rank.sum[of_rank[2].indices[j]]));
      }
      for (float const left : rank.residual) CHECK(std::isfinite(left));
    }
  }
}

TEST_CASE(
    "also where there is more of it than can be sent, or the leader has other slots, none of it stays") {
  auto of_rank = with_non_finite(4);
  for (float& value : of_rank[0].values) value = infinity;
  for (float& value : of_rank[2].values) value = -infinity;
  for (Policy const& policy :
       {Policy(weir::GlobalTopK{}), Policy(weir::BalancedTopK{}), Policy(weir::LeaderIndices{})}) {
    for (auto const& rank : sum_on_threads(of_rank, policy, {.step = 1})) {
      for (float const left : rank.residual) CHECK(std::isfinite(left));
    }
  }
}
