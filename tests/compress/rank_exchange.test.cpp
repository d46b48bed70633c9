#include "weir/compress/rank_exchange.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/ranks.hpp"
#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/histogram.hpp"

namespace {

/// What ranks with a part of the gradient each select together, by the places in the whole of it, is what one
/// selects of the whole.
template <class Policy, class Real>
void check(std::size_t ranks, std::vector<Real> const& whole, double density) {
  std::size_t const size = whole.size() / ranks;
  weir_test::SparseBucket<Real> one(weir::HostExecutor{}, whole.size(), {.density = density});
  one.step(whole, Policy{});
  std::vector<std::vector<std::size_t>> selected(ranks);
  std::vector<weir::SparsifyStatistics> last(ranks);
  on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
    std::size_t const rank = communicator.rank();
    weir::HostExecutor const executor;
    weir_test::SparseBucket<Real> bucket(executor, size, {.density = density});
    std::vector<Real> const gradient(whole.begin() + static_cast<std::ptrdiff_t>(rank * size),
                                     whole.begin() + static_cast<std::ptrdiff_t>((rank + 1) * size));
    weir::WeightedTerm<Real, weir::HostSpace> const term{weir::view(gradient), 1.0};
    auto work = bucket.describe(std::span(&term, 1));
    weir::RankExchange<weir::ThreadCommunicator, weir::HostExecutor, Real> exchange(executor, communicator);
    executor.submit([&](weir::HostExecutor const& point) {
      work.part = weir::SparsifyPart::accumulate;
      work.tail = exchange.own();
      weir::sparsify(point, work, Policy{});
      exchange(point, work.constants.non_finite);
      exchange.find(point, work, size, Policy{});
      work.part = weir::SparsifyPart::select;
      work.shared_tail = exchange.merged();
      weir::sparsify(point, work, Policy{});
    });
    executor.synchronize();
    for (auto const index : bucket.indices()) selected[rank].push_back(rank * size + index);
    last[rank] = bucket.last();
  });
  std::vector<std::size_t> together;
  for (auto const& of_rank : selected) together.insert(together.end(), of_rank.begin(), of_rank.end());
  auto const expected = one.indices();
  CHECK(together == std::vector<std::size_t>(expected.begin(), expected.end()));
  for (auto const& found : last) {
    CHECK(found.threshold == one.last().threshold);
    CHECK(found.stages == one.last().stages);
  }
}

template <class Real>
void check_all(std::vector<float> const& values, double density) {
  std::vector<Real> const whole(values.begin(), values.end());
  for (std::size_t const ranks : {1u, 2u, 3u, 5u}) {
    CAPTURE(ranks);
    CAPTURE(density);
    check<weir::Histogram>(ranks, whole, density);
    check<weir::ExactTopK>(ranks, whole, density);
  }
}

}  // namespace

TEST_CASE("ranks together select what one would select of their data") {
  weir_test::Draws draws(7);
  for (double const density : {0.001, 0.01, 0.1, 1.0}) {
    check_all<float>(draws.mixture(30'000), density);  // of other sizes on each rank
    check_all<double>(draws.gamma(30'000, 0.3), density);
    check_all<float>(draws.quantised(30'000, 9), density);
  }
  check_all<float>(std::vector<float>(3000, -2.0f), 0.01);
  check_all<float>(std::vector<float>(3000), 0.01);
  std::vector<float> few(3000);
  few[2999] = 1.0f;
  check_all<float>(few, 0.01);
}

TEST_CASE("what an exchange allocates") {
  CHECK(weir::rank_exchange_bytes<float>(4) == 5 * sizeof(weir::TailStatistics) + sizeof(weir::SharedTail) +
                                                   sizeof(weir::SharedRankSearch<float>) +
                                                   8 * (2 * 4112 + 4));
}
