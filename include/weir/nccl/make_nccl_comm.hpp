#pragma once

#include <nccl.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "weir/comm/byte_exchange.hpp"
#include "weir/nccl/communicator.hpp"

namespace weir::inline v1 {

/// Makes rank `rank` of `size` ranks on the current device, for a program that has no ncclComm_t of its own.
/// The 128 bytes by which the ranks find each other travel through the caller's exchange.
///
/// ```
/// weir::NcclCommunicator const communicator =
///     weir::make_nccl_comm(rank, size, weir::MpiByteExchange(MPI_COMM_WORLD));
/// ```
/// Streams: blocks until all ranks have called it, each from a thread or process of its own. Errors:
/// `PeerTimeout` if they have not within the deadline; `NcclError`; what the exchange throws.
template <ByteExchange Exchange>
NcclCommunicator make_nccl_comm(std::size_t rank, std::size_t size, Exchange&& exchange,
                                CommOptions const& options = {}) {
  if (rank >= size || size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw ContractViolation("make_nccl_comm: rank " + std::to_string(rank) + " is not one of " +
                            std::to_string(size) + " ranks, or NCCL cannot count them");
  }
  ncclUniqueId id{};
  if (rank == 0) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  exchange(rank, std::as_writable_bytes(std::span(id.internal)));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  auto made = std::make_unique<ncclComm_t>(nullptr);
  ncclResult_t const result =
      ncclCommInitRankConfig(made.get(), static_cast<int>(size), id, static_cast<int>(rank), &config);
  check_nccl(result, "ncclCommInitRankConfig");
  try {
    detail::wait_until_made(*made, "ncclCommInitRankConfig", options);
  } catch (...) {
    (void)made.release();  // NCCL may still write to it
    throw;
  }
  return NcclCommunicator::own(*made, options);
}

}  // namespace weir::inline v1
