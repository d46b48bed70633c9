#include "weir/compress/host_side.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/device_like.hpp"
#include "support/ranks.hpp"
#include "weir/comm/pair_exchange.hpp"
#include "weir/exec/immediate_executor.hpp"

namespace {

using Bounce = weir::detail::Bounce<DeviceLikeExecutor, DeviceLikeCommunicator>;
using HostSide = weir::detail::HostSide<DeviceLikeExecutor, DeviceLikeCommunicator>;
using Host = weir::ImmediateExecutor<weir::HostExecutor>;

static_assert(weir::ReducingCommunicator<HostSide, Host, float>);
static_assert(weir::ReducingCommunicator<HostSide, Host, std::uint32_t>);
static_assert(weir::GatheringCommunicator<HostSide, Host, std::uint64_t>);
static_assert(weir::PointToPointCommunicator<HostSide, Host>);

template <class Function>
void on_host_sides(std::size_t ranks, Function const& f) {
  on_ranks(ranks, [&](weir::ThreadCommunicator const& threads) {
    DeviceLikeExecutor const executor;
    Bounce bounce(executor, DeviceLikeCommunicator(threads), 64);
    f(HostSide(bounce), Host(weir::HostExecutor()));
    CHECK(executor.waits() > 0);
  });
}

}  // namespace

TEST_CASE("vectors of hosts are summed and gathered over the device's communicator") {
  for (std::size_t const ranks : {1u, 3u}) {
    on_host_sides(ranks, [&](HostSide const& side, Host const& host) {
      CHECK(side.size() == ranks);
      std::vector<float> sum = {1.0F, static_cast<float>(side.rank())};
      side.all_reduce(host, weir::view(sum));
      CHECK(sum == std::vector<float>{ranks == 1 ? 1.0F : 3.0F, ranks == 1 ? 0.0F : 3.0F});
      std::vector<std::uint32_t> most = {static_cast<std::uint32_t>(side.rank())};
      side.all_reduce(host, weir::view(most), weir::ReduceOp::max);
      CHECK(most[0] == ranks - 1);
      std::vector<std::uint64_t> const own = {side.rank(), 10 * side.rank()};
      std::vector<std::uint64_t> all(2 * ranks, 77);
      side.all_gather(host, weir::view(own), weir::view(all));
      for (std::uint64_t rank = 0; rank < ranks; ++rank) {
        CHECK(all[2 * rank] == rank);
        CHECK(all[2 * rank + 1] == 10 * rank);
      }
    });
  }
}

TEST_CASE("messages of any size arrive whole, and nothing behind them is written") {
  on_host_sides(3, [](HostSide const& side, Host const& host) {
    weir::detail::PairExchange<HostSide, Host> exchange(host, side);
    for (std::size_t const size : {0u, 1u, 33u, 1000u, 2u}) {
      std::vector<std::uint32_t> const mine(size + 5 * side.rank(), static_cast<std::uint32_t>(side.rank()));
      std::vector<std::vector<std::uint32_t>> theirs(3);
      exchange.for_each_peer([&](std::size_t peer) {
        theirs[peer].assign(size + 5 * peer + 1, 99);
        exchange.receive(weir::view(theirs[peer]).part(0, size + 5 * peer), peer);
        exchange.send(weir::view(mine), peer);
      });
      exchange.run(host);
      exchange.for_each_peer([&](std::size_t peer) {
        std::vector<std::uint32_t> expected(size + 5 * peer, static_cast<std::uint32_t>(peer));
        expected.push_back(99);
        CHECK(theirs[peer] == expected);
      });
    }
  });
}
