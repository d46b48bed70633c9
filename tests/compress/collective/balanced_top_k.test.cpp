#include "weir/compress/collective/balanced_top_k.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/collective/sparse_ranks.hpp"

static_assert(
    weir::SparseCollective<weir::BalancedTopK, float, weir::HostExecutor, weir::ThreadCommunicator>);

namespace {

/// The sum in rank order, of which only the k largest slots are left, of equal ones the first.
template <class Real>
std::vector<Real> largest_of_sum(std::vector<Selected<Real>> const& of_rank) {
  auto sum = sum_of_selected(of_rank);
  std::size_t k = 0;
  for (auto const& rank : of_rank) k = std::max(k, rank.indices.size());
  std::vector<std::size_t> order(sum.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return std::abs(sum[a]) > std::abs(sum[b]); });
  for (std::size_t i = k; i < order.size(); ++i) sum[order[i]] = 0;
  return sum;
}

struct Traffic {
  double sent = 0.0;
  double received = 0.0;
};

/// Counts the bytes of messages.
class CountingMessages : public weir::ThreadCommunicator {
 public:
  CountingMessages(weir::ThreadCommunicator const& below, Traffic& traffic)
      : ThreadCommunicator(below), traffic_(&traffic) {}

  template <class E>
  void exchange(E const& executor, std::span<weir::Transfer<weir::HostSpace> const> transfers) const {
    for (auto const& transfer : transfers) {
      bool const is_sent = transfer.direction == weir::Transfer<weir::HostSpace>::Direction::send;
      (is_sent ? traffic_->sent : traffic_->received) += static_cast<double>(transfer.bytes);
    }
    ThreadCommunicator::exchange(executor, transfers);
  }

 private:
  Traffic* traffic_;
};

template <class Real>
void check_largest(std::vector<Selected<Real>> const& of_rank) {
  auto const outcomes = sum_on_threads(of_rank, weir::BalancedTopK{}, {.repetitions = 2});
  auto const expected = largest_of_sum(of_rank);
  for (auto const& rank : outcomes) CHECK(rank.sum == expected);
  check_given_back_bitwise(of_rank, outcomes, 1e-5);
}

}  // namespace

TEST_CASE("of 1 to 8 ranks the k largest slots of the sum in rank order are found, with its bits") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    for (double const density : {0.01, 0.1, 0.5}) {
      CAPTURE(ranks);
      CAPTURE(density);
      check_largest(selections<float>(ranks, 700, density, static_cast<std::uint32_t>(ranks)));
    }
    check_largest(selections<double>(ranks, 90, 0.2, 9));
  }
}

TEST_CASE("integers, with many ties, are cut by index, and nothing is lost anywhere") {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    auto const of_rank = selections<float>(ranks, 500, 0.2, static_cast<std::uint32_t>(ranks), true);
    check_largest(of_rank);
    check_conserved(of_rank, sum_on_threads(of_rank, weir::BalancedTopK{}));
  }
}

TEST_CASE("what all ranks have selected in one corner is shared out before it is sent") {
  std::vector<Selected<float>> of_rank(6);
  for (std::size_t rank = 0; rank < 6; ++rank) {
    of_rank[rank].residual.resize(10'000);
    for (std::uint32_t j = 0; j < 60; ++j) {
      // The largest lie together in what is the region of one rank.
      std::uint32_t const slot = j < 30 ? 9'000 + j : 100 * (j - 29);
      of_rank[rank].indices.push_back(slot);
      of_rank[rank].values.push_back(j < 30 ? 100.0F + static_cast<float>(j) : 0.5F);
    }
    std::sort(of_rank[rank].indices.begin(), of_rank[rank].indices.end());
    std::rotate(of_rank[rank].values.begin(), of_rank[rank].values.begin() + 30, of_rank[rank].values.end());
  }
  of_rank[3].indices.resize(40);
  of_rank[3].values.resize(40);
  check_largest(of_rank);
}

TEST_CASE("a rank without pairs, and ranks without any, are served") {
  auto of_rank = selections<float>(4, 60, 0.4, 3);
  of_rank[0].indices.clear();
  of_rank[0].values.clear();
  check_largest(of_rank);
  for (auto& rank : of_rank) {
    rank.indices.clear();
    rank.values.clear();
  }
  check_largest(of_rank);
}

TEST_CASE("however the slots are distributed, no rank sends or receives more than three times its pairs") {
  constexpr std::size_t ranks = 8, elements = 64'000, k = 2'000;
  // By rank: the slots of all in one corner; in a corner of its own; the largest values in one corner.
  for (int const kind : {0, 1, 2}) {
    CAPTURE(kind);
    std::vector<Selected<float>> of_rank(ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      std::mt19937 random(static_cast<std::uint32_t>(rank));
      of_rank[rank].residual.resize(elements);
      std::size_t const first = kind == 0 ? 60'000 : kind == 1 ? rank * 8'000 : 0;
      std::size_t const stride = kind == 2 ? elements / k : 2;
      for (std::size_t j = 0; j < k; ++j) {
        of_rank[rank].indices.push_back(static_cast<std::uint32_t>(first + stride * j + random() % stride));
        bool const is_large = kind == 2 && of_rank[rank].indices.back() < 7'000;
        of_rank[rank].values.push_back((is_large ? 1000.0F : 1.0F) +
                                       static_cast<float>(random() % 1000) / 1000.0F);
      }
    }
    std::vector<Traffic> traffic(ranks);
    std::vector<Outcome<float>> outcomes(ranks);
    on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
      std::size_t const own = communicator.rank();
      outcomes[own] =
          sum_on(CountingMessages(communicator, traffic[own]), of_rank[own], weir::BalancedTopK{});
    });
    auto const expected = largest_of_sum(of_rank);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      CHECK(outcomes[rank].sum == expected);
      CHECK(traffic[rank].sent <= 3.1 * k * 8);
      CHECK(traffic[rank].received <= 3.1 * k * 8);
    }
  }
}
