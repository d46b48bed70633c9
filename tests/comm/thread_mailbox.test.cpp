#include "weir/comm/thread_mailbox.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>
#include <vector>

using weir::TransferGroup;

TEST_CASE("random groups between all pairs arrive in order and without deadlock") {
  constexpr std::size_t ranks = 3;
  constexpr std::size_t messages = 12;
  weir::detail::ThreadSignal signal(ranks);
  weir::detail::ThreadMailbox mailbox(ranks, signal, {});
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<std::thread> threads;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        std::mt19937 random(seed * 10 + static_cast<unsigned>(rank));
        std::vector<std::vector<int>> sent;
        std::vector<std::vector<int>> received;
        sent.reserve(ranks * messages);
        received.reserve(ranks * messages);
        TransferGroup<weir::HostSpace> group;
        std::vector<std::size_t> sends(ranks, 0);
        std::vector<std::size_t> receives(ranks, 0);
        for (std::size_t left = 2 * ranks * messages; left > 0;) {
          std::size_t const peer = random() % ranks;
          bool const is_send = random() % 2 == 0;
          auto& done = is_send ? sends[peer] : receives[peer];
          if (done == messages) continue;
          if (is_send) {
            sent.emplace_back(1 + done, static_cast<int>(100 * rank + done));
            group.send(weir::view(sent.back()), peer);
          } else {
            received.emplace_back(1 + done);
            group.receive(weir::view(received.back()), peer);
          }
          ++done;
          --left;
        }
        std::vector<std::uint64_t> tickets;
        mailbox.exchange(rank, group.transfers(), tickets, {});
        std::vector<std::size_t> seen(ranks, 0);
        for (auto const& transfer : group.transfers()) {
          if (transfer.direction == weir::Transfer<weir::HostSpace>::Direction::send) continue;
          auto const* const data = static_cast<int const*>(transfer.data);
          std::size_t const number = seen[transfer.peer]++;
          CHECK(data[number] == static_cast<int>(100 * transfer.peer + number));
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
}
