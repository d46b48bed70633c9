#include "weir/comm/agree.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
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

namespace {

/// The second of two ranks, which differs from the first, and whose second collective meets its abort.
struct Overtaken {
  std::size_t rank() const { return 1; }
  std::size_t size() const { return 2; }
  void all_gather(HostExecutor const&, weir::TensorView<std::uint64_t const, weir::HostSpace> block,
                  weir::TensorView<std::uint64_t, weir::HostSpace> all) const {
    if (++calls == 2) throw weir::PeerAborted("rank 0 has failed or left; the communicator is unusable");
    for (std::size_t i = 0; i < all.size(); ++i) all.data()[i] = block.data()[i % block.size()];
    weir::Fingerprint other;
    other.count = 5;
    std::memcpy(all.data(), &other, sizeof other);
  }
  void abort() const noexcept { ++aborts; }

  mutable int calls = 0, aborts = 0;
};

}  // namespace

TEST_CASE("a rank that is slower than the one that aborts has the same error") {
  Overtaken const communicator;
  weir::Fingerprint mine;
  mine.count = 6;
  CHECK_THROWS_AS(weir::agree(communicator, HostExecutor(), mine), weir::FingerprintMismatch);
  CHECK(communicator.calls == 2);
  CHECK(communicator.aborts == 1);
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
