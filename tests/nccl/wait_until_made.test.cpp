#include "weir/nccl/wait_until_made.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "support/nccl/machine.hpp"

using namespace std::chrono_literals;
using nccl_ranks::Machine;
using nccl_ranks::text_thrown;
using weir::detail::wait_until_made;

namespace {

/// One of `size` ranks, the others of which never come.
ncclComm_t begin(int size) {
  ncclUniqueId id;
  ncclGetUniqueId(&id);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t made = nullptr;
  CHECK(ncclCommInitRankConfig(&made, size, id, 0, &config) == ncclInProgress);
  return made;
}

}  // namespace

TEST_CASE("it ends when the communicator is there") {
  Machine machine(1, {.in_progress = 5});
  ncclComm_t const made = begin(1);
  CHECK_NOTHROW(wait_until_made(made, "call", {20s}));
  CHECK(ncclCommDestroy(made) == ncclSuccess);
}

TEST_CASE("a rank that never comes is an error within the deadline, and the communicator is given back") {
  Machine machine(1);
  ncclComm_t const made = begin(2);
  CHECK(text_thrown<weir::PeerTimeout>([&] { wait_until_made(made, "ncclCommSplit", {50ms}); }) ==
        "ncclCommSplit number 0: not all ranks called it within 50 ms");
  CHECK(machine.nccl.inventory().aborted == 1);
}

TEST_CASE("so is one that NCCL cannot make") {
  Machine machine(1);
  ncclComm_t const made = begin(2);
  machine.nccl.raise(made, ncclSystemError);
  CHECK(nccl_ranks::contains(
      text_thrown<weir::NcclError>([&] { wait_until_made(made, "ncclCommSplit", {20s}); }),
      "ncclCommSplit: ncclSystemError, told by the stand-in (wait_until_made.test.cpp:"));
  CHECK(machine.nccl.inventory().aborted == 1);
}
