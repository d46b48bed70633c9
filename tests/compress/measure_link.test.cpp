#include "weir/compress/measure_link.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/compress/break_even.hpp"
#include "weir/host/executor.hpp"

namespace {

/// One of four ranks that gather over a slow link.
struct SlowCommunicator {
  std::chrono::microseconds per_gather{2000};
  double seconds_per_byte = 1e-7;

  std::size_t rank() const { return 0; }
  std::size_t size() const { return 4; }
  void abort() const noexcept {}
  void all_gather(weir::HostExecutor const&, weir::TensorView<std::uint64_t const, weir::HostSpace> block,
                  weir::TensorView<std::uint64_t, weir::HostSpace> all) const {
    std::this_thread::sleep_for(
        per_gather +
        std::chrono::duration<double>(3.0 * 8.0 * static_cast<double>(block.size()) * seconds_per_byte));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = block[i % block.size()];
  }
};

}  // namespace

TEST_CASE("a link is found from what the cost table says of two all-gathers") {
  weir::Link const link{20e-6, 1.0 / 1.25e9};
  for (std::size_t const ranks : {2u, 3u, 8u, 16u}) {
    auto const gather = [&](std::size_t bytes) {
      double const pairs = static_cast<double>(bytes) / 8.0;
      return weir::GatherTime{
          bytes, seconds_of(weir::SparseMethod::all_gather, {ranks, 1e9, pairs, 4.0, 4.0}, link)};
    };
    weir::Link const found = weir::link_of(ranks, gather(8), gather(1 << 22));
    CHECK(found.alpha == doctest::Approx(link.alpha).epsilon(1e-9));
    CHECK(found.beta == doctest::Approx(link.beta).epsilon(1e-9));
  }
}

TEST_CASE("times that contradict each other give no link below 0") {
  weir::Link const backwards = weir::link_of(2, {8, 2e-3}, {1 << 20, 1e-3});
  CHECK(backwards.alpha == doctest::Approx(2e-3));
  CHECK(backwards.beta == 0.0);
  weir::Link const without_latency = weir::link_of(2, {1 << 10, 1e-6}, {1 << 20, 1.0});
  CHECK(without_latency.alpha == 0.0);
  CHECK(without_latency.beta > 0.0);
}

TEST_CASE("a link that is slow is found to be slow") {
  weir::HostExecutor const executor;
  SlowCommunicator const communicator;
  weir::Link const link =
      weir::measure_link(executor, communicator, {.bytes = 100'000, .warmup = 0, .repetitions = 5});
  CHECK(link.alpha > 0.9e-3);  // two rounds of doubling, 2 ms
  CHECK(link.beta > 0.5e-7);   // a neighbour may have slowed the small one down
  auto const pays = weir::break_even({.ranks = 4, .elements = 1'000'000, .link = link});
  CHECK(pays.density(weir::SparseMethod::all_gather) > 0.1);
}

TEST_CASE("all ranks find the same link") {
  std::vector<weir::Link> links(3);
  on_ranks(3, [&](auto const& communicator) {
    weir::HostExecutor const executor;
    links[communicator.rank()] = weir::measure_link(executor, communicator, {.bytes = 1 << 20});
  });
  CHECK(links[0].alpha > 0.0);
  for (weir::Link const& link : links) {
    CHECK(link.alpha == links[0].alpha);
    CHECK(link.beta == links[0].beta);
  }
}

TEST_CASE("what cannot be measured is refused") {
  weir::HostExecutor const executor;
  CHECK_THROWS_AS(weir::measure_link(executor, weir::SelfCommunicator{}), weir::ContractViolation);
  SlowCommunicator const communicator;
  CHECK_THROWS_AS(weir::measure_link(executor, communicator, {.repetitions = 0}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::measure_link(executor, communicator, {.bytes = 15}), weir::ContractViolation);
}
