#include "weir/comm/pair_exchange.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"

TEST_CASE("words are gathered in rank order, and messages of any size, none too, arrive") {
  on_all_thread_ranks(3, [](weir::ThreadCommunicator const& communicator,
                            weir::HostExecutor const& executor) {
    weir::detail::PairExchange<weir::ThreadCommunicator, weir::HostExecutor> exchange(executor, communicator);
    std::vector<std::vector<float>> got(3);
    std::vector<std::uint64_t> gathered;
    std::size_t const own = communicator.rank();
    executor.submit([&](weir::HostExecutor const& point) {
      for (int turn = 0; turn < 2; ++turn) {
        std::uint64_t const words[2] = {own, 10 * own};
        auto const all = exchange.gather(point, words);
        gathered.assign(all.begin(), all.end());
        std::vector<float> const mine(own, static_cast<float>(own));
        exchange.for_each_peer([&](std::size_t peer) {
          got[peer].assign(peer, -1.0F);
          exchange.receive(weir::view(got[peer]), peer);
          exchange.send(weir::view(mine), peer);
        });
        exchange.run(point);
      }
    });
    executor.synchronize();
    CHECK(gathered == std::vector<std::uint64_t>{0, 0, 1, 10, 2, 20});
    for (std::size_t peer = 0; peer < 3; ++peer) {
      if (peer != own) CHECK(got[peer] == std::vector<float>(peer, static_cast<float>(peer)));
    }
  });
}
