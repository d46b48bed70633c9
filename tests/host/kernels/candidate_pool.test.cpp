#include "weir/host/kernels/candidate_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {
using Pool = weir::detail::CandidatePool<float>;
}

TEST_CASE(
    "a pool's parts lie in the memory it asks for, one after another, whatever the memory's alignment") {
  for (std::size_t size : {0u, 1u, 65'537u, 300'000u}) {
    for (std::size_t offset : {0u, 4u, 60u}) {
      std::size_t const threads = 3;
      std::vector<std::byte> memory(Pool::bytes(size, threads) + 64);
      Pool const pool(memory.data() + offset, size, threads);
      auto const begin = reinterpret_cast<std::uintptr_t>(memory.data() + offset);
      auto const end = begin + Pool::bytes(size, threads);
      auto const last = reinterpret_cast<std::uintptr_t>(pool.values() + pool.capacity());
      CHECK(reinterpret_cast<std::uintptr_t>(pool.counts(0)) % 64 == 0);
      CHECK(reinterpret_cast<std::uintptr_t>(pool.counts(0)) >= begin);
      CHECK(last <= end);
      CHECK(pool.positions() + pool.capacity() <= reinterpret_cast<std::uint32_t*>(pool.values()));
      CHECK(pool.counts(2) - pool.counts(1) > static_cast<std::ptrdiff_t>(Pool::counters));
      CHECK(pool.capacity() >= size / 2);
    }
  }
  CHECK(Pool::capacity_for(1000) == 1000);
  CHECK(Pool::capacity_for(std::size_t{1} << 20) < (std::size_t{1} << 20));
}

TEST_CASE("each part is done once, by slots that have begun") {
  for (std::size_t threads : {1u, 4u}) {
    weir::ThreadTeam team(threads);
    for (std::size_t parts : {0u, 1u, 3u, 100u}) {
      std::vector<std::atomic<int>> begun(threads), done(parts);
      std::atomic<int> early = 0;
      std::size_t const slots = weir::detail::for_each_part(
          team, threads, parts, [&](std::size_t slot) { ++begun[slot]; },
          [&](std::size_t slot, std::size_t part) {
            if (begun[slot] != 1) ++early;
            ++done[part];
          });
      CHECK(slots >= 1);
      CHECK(slots <= threads);
      CHECK(early == 0);
      int wrong = 0;
      for (auto const& count : done) wrong += count != 1;
      CHECK(wrong == 0);
    }
  }
}
