#include "weir/comm/wait_for_ranks.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "support/device_like.hpp"
#include "weir/comm/self.hpp"

namespace {

/// Waits itself.
struct Waiting {
  int* waits;

  std::size_t rank() const { return 0; }
  std::size_t size() const { return 1; }
  void abort() const noexcept {}
  void synchronize(DeviceLikeExecutor const&) const { ++*waits; }
};

}  // namespace

TEST_CASE("who waits for ranks leaves it to a communicator that can tell where one never comes") {
  DeviceLikeExecutor const executor;
  int waits = 0;
  static_assert(weir::SynchronizingCommunicator<Waiting, DeviceLikeExecutor>);
  weir::wait_for_ranks(executor, Waiting{&waits});
  CHECK(waits == 1);
  CHECK(executor.waits() == 0);
  weir::wait_for_ranks(executor, weir::SelfCommunicator());
  CHECK(waits == 1);
  CHECK(executor.waits() == 1);
}
