#pragma once

#include <nccl.h>

#include <string>
#include <thread>

#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/nccl/error.hpp"

namespace weir::inline v1::detail {

/// Waits for a non-blocking communicator that `call` has begun to make. Errors: `PeerTimeout`, `NcclError`;
/// the communicator is given back then.
inline void wait_until_made(ncclComm_t handle, char const* call, CommOptions const& options,
                            Where where = Where::here()) {
  auto const end = options.give_up_time();
  for (;; std::this_thread::sleep_for(std::chrono::microseconds(20))) {
    ncclResult_t state = ncclSuccess;
    ncclResult_t const code = ncclCommGetAsyncError(handle, &state);
    if (code != ncclSuccess) state = code;
    if (state == ncclSuccess) return;
    if (state != ncclInProgress) {
      NcclError const error(state, call, handle, where);
      ncclCommAbort(handle);
      throw error;
    }
    if (std::chrono::steady_clock::now() >= end) {
      ncclCommAbort(handle);
      throw PeerTimeout(call, 0,
                        "not all ranks called it within " + std::to_string(options.deadline.count()) + " ms");
    }
  }
}

}  // namespace weir::inline v1::detail
