#include "weir/comm/gather_pairs.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"

using weir::HostExecutor;
using weir::ThreadCommunicator;
using weir::view;

TEST_CASE("every rank has the pairs of all ranks, with their counts, for odd capacities and 16-bit values") {
  on_all_thread_ranks(3, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    using Pairs = weir::PairBlocks<weir::half, weir::HostSpace>;
    for (std::size_t const capacity : {0u, 1u, 2u, 7u, 100u}) {
      std::vector<std::uint64_t> memory(3 * Pairs::words(capacity));
      Pairs const pairs(view(memory), capacity, 3);
      std::size_t const own = communicator.rank();
      std::size_t const count = capacity < own ? capacity : own;
      *pairs.header(own) = {count, own};
      for (std::size_t i = 0; i < count; ++i) {
        pairs.indices(own)[i] = static_cast<std::uint32_t>(100 * own + i);
        pairs.values(own)[i] = weir::half(static_cast<float>(own) + 0.5F);
      }
      weir::gather_pairs(communicator, executor, pairs);
      executor.synchronize();
      for (std::size_t rank = 0; rank < 3; ++rank) {
        CHECK(pairs.header(rank)->wanted == rank);
        REQUIRE(pairs.header(rank)->count == (capacity < rank ? capacity : rank));
        for (std::size_t i = 0; i < pairs.header(rank)->count; ++i) {
          CHECK(pairs.indices(rank)[i] == 100 * rank + i);
          CHECK(static_cast<float>(pairs.values(rank)[i]) == static_cast<float>(rank) + 0.5F);
        }
      }
    }
  });
}

TEST_CASE("memory of another size is refused with the size that is right") {
  using Pairs = weir::PairBlocks<float, weir::HostSpace>;
  CHECK(Pairs::words(3) == 2 + 2 + 2);
  std::vector<std::uint64_t> memory(11);
  CHECK_THROWS_WITH_AS(Pairs(view(memory), 3, 2),
                       "pairs of 2 ranks with a capacity of 3 need 12 words, not 11",
                       weir::ContractViolation);
}
