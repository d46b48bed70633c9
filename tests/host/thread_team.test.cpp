#include "weir/host/thread_team.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

TEST_CASE("each part is run once, whatever their number and that of the threads") {
  for (std::size_t threads : {0u, 1u, 2u, 3u, 8u}) {
    weir::ThreadTeam team(threads);
    CHECK(team.size() == (threads == 0 ? 1 : threads));
    for (std::size_t parts : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<int> runs(parts);  // not atomic: parts are apart, and `run` orders them with what follows
      team.run(parts, [&](std::size_t part) { ++runs[part]; });
      CHECK(runs == std::vector<int>(parts, 1));
    }
  }
}

TEST_CASE("the helpers take part") {
  weir::ThreadTeam team(2);
  std::atomic<int> inside = 0;
  // Both parts have to be under way at once for either to return.
  team.run(2, [&](std::size_t) {
    ++inside;
    while (inside < 2) std::this_thread::yield();
  });
  CHECK(inside == 2);
}

TEST_CASE("many rounds in a row lose nothing") {
  weir::ThreadTeam team(3);
  std::vector<std::size_t> sums(5);
  for (std::size_t round = 0; round < 2000; ++round) {
    team.run(sums.size(), [&](std::size_t part) { sums[part] += round; });
  }
  CHECK(sums == std::vector<std::size_t>(5, 1999 * 2000 / 2));
}

TEST_CASE("two callers at a time both finish: one has the helpers, the other works alone") {
  weir::ThreadTeam team(3);
  std::vector<std::vector<int>> runs(4, std::vector<int>(64));
  std::vector<std::thread> callers;
  for (auto& mine : runs) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        team.run(mine.size(), [&](std::size_t part) { ++mine[part]; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (auto const& mine : runs) CHECK(mine == std::vector<int>(64, 200));
}

TEST_CASE("a part may itself share a loop with the team") {
  weir::ThreadTeam team(2);
  std::vector<int> runs(16);
  team.run(4, [&](std::size_t outer) { team.run(4, [&](std::size_t inner) { ++runs[4 * outer + inner]; }); });
  CHECK(runs == std::vector<int>(16, 1));
}
