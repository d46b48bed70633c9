#include "weir/comm/agree.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "weir/comm/self.hpp"

using weir::HostExecutor;
using weir::ThreadCommunicator;

TEST_CASE("words of all ranks are gathered in rank order") {
  on_all_thread_ranks(3, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    std::vector<std::uint64_t> const mine{communicator.rank(), 10 + communicator.rank()};
    CHECK(weir::gather_words_and_wait(communicator, executor, mine) ==
          std::vector<std::uint64_t>{0, 10, 1, 11, 2, 12});
  });
  std::vector<std::uint64_t> const alone{7};
  CHECK(weir::gather_words_and_wait(weir::SelfCommunicator{}, HostExecutor{}, alone) == alone);
}

TEST_CASE(
    "ranks that agree go on, one that differs is an error on every rank and the end of the communicator") {
  auto const failures = on_thread_ranks(
      ThreadCommunicator::group(3), [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
        weir::Fingerprint mine;
        mine.operation = weir::CommOperation::all_reduce;
        mine.count = 100;
        mine.layout = 1;
        weir::agree(communicator, executor, mine);
        mine.layout = communicator.rank() == 2 ? 3 : 2;
        CHECK_THROWS_AS(weir::agree(communicator, executor, mine), weir::FingerprintMismatch);
        weir::agree(communicator, executor, mine);
      });
  for (auto const& failure : failures) CHECK(is_a<weir::PeerAborted>(failure));
}

TEST_CASE("the error of agree names both sides") {
  auto const failures = on_thread_ranks(
      ThreadCommunicator::group(2), [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
        weir::Fingerprint mine;
        mine.count = 5 + communicator.rank();
        weir::agree(communicator, executor, mine);
      });
  CHECK(text_of(failures[0]) ==
        "the ranks do not agree: rank 0 calls agree number 0 of 5 bytes; rank 1 calls agree number 0 of 6 "
        "bytes (seen "
        "on rank 0)");
  CHECK(is_a<weir::FingerprintMismatch>(failures[1]));
}
