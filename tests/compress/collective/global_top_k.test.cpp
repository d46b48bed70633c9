#include "weir/compress/collective/global_top_k.hpp"

#include "compress/collective/sparse_ranks.hpp"

static_assert(weir::SparseCollective<weir::GlobalTopK, float, weir::HostExecutor, weir::ThreadCommunicator>);

namespace {

template <class Real>
std::size_t non_zeros(std::vector<Real> const& values) {
  std::size_t count = 0;
  for (Real const value : values) count += value != Real{} ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("of 1 to 8 ranks at most k slots are summed, and on integers nothing is lost anywhere") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    for (double const density : {0.01, 0.1, 0.5}) {
      CAPTURE(ranks);
      CAPTURE(density);
      auto const of_rank = selections<float>(ranks, 700, density, static_cast<std::uint32_t>(ranks), true);
      auto const outcomes = sum_on_threads(of_rank, weir::GlobalTopK{}, {.repetitions = 2});
      check_conserved(of_rank, outcomes);
      std::size_t k = 0;
      for (auto const& rank : of_rank) k = k < rank.indices.size() ? rank.indices.size() : k;
      CHECK(non_zeros(outcomes[0].sum) <= k);
      CHECK(2 * non_zeros(outcomes[0].sum) >= k);
    }
  }
}

TEST_CASE("every pair is in the sum or back in its rank's residual, bit for bit") {
  for (std::size_t ranks : {2u, 3u, 5u, 8u}) {
    auto const of_rank = selections<float>(ranks, 700, 0.1, 7);
    check_given_back_bitwise(of_rank, sum_on_threads(of_rank, weir::GlobalTopK{}), 1e-5);
    auto const wide = selections<double>(ranks, 300, 0.1, 8);
    check_given_back_bitwise(wide, sum_on_threads(wide, weir::GlobalTopK{}), 1e-13);
  }
}

TEST_CASE("a slot rejected in one branch of the tree and found in another keeps what was rejected") {
  // Ranks 0 and 1 meet first: slot 0 has 1 there and is rejected; of ranks 2 and 3 it goes to the top.
  std::vector<Selected<float>> of_rank(4);
  float const values[4][2] = {{1, 5}, {0, 5}, {30, 0}, {0, 2}};
  for (std::size_t rank = 0; rank < 4; ++rank) {
    std::uint32_t const slot = values[rank][0] > values[rank][1] || rank == 0 ? 0 : 1;
    of_rank[rank] = {{slot}, {values[rank][slot]}, std::vector<float>(2)};
  }
  auto const outcomes = sum_on_threads(of_rank, weir::GlobalTopK{});
  CHECK(outcomes[3].sum == std::vector<float>{30, 0});
  CHECK(outcomes[0].residual == std::vector<float>{1, 0});
  CHECK(outcomes[1].residual == std::vector<float>{0, 5});
  CHECK(outcomes[2].residual == std::vector<float>{0, 0});
  CHECK(outcomes[3].residual == std::vector<float>{0, 2});
}

TEST_CASE("without a residual what is rejected is forgotten") {
  auto const of_rank = selections<float>(3, 100, 0.3, 5);
  auto const kept = sum_on_threads(of_rank, weir::GlobalTopK{});
  auto const forgotten = sum_on_threads(of_rank, weir::GlobalTopK{}, {.has_residual = false});
  for (std::size_t rank = 0; rank < 3; ++rank) CHECK(same_bits(kept[rank].sum, forgotten[rank].sum));
}
