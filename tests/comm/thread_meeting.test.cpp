#include "weir/comm/thread_meeting.hpp"

#include <doctest/doctest.h>

#include <thread>

using weir::detail::ThreadMeeting;

TEST_CASE("between enter and leave every rank sees what all have posted, round after round") {
  ThreadMeeting meeting(3, {});
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&, rank] {
      weir::OperationLog const log;
      std::size_t own = 0;
      for (std::size_t round = 0; round < 200; ++round) {
        own = 10 * round + rank;
        meeting.enter(rank, {{}, &own, nullptr}, log);
        std::size_t sum = 0;
        for (std::size_t other = 0; other < 3; ++other) {
          sum += *static_cast<std::size_t const*>(meeting.post(other).in);
        }
        CHECK(sum == 30 * round + 3);
        meeting.leave(rank);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}
