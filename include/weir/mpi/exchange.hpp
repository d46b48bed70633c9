#pragma once

#include <mpi.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/mpi/error.hpp"

namespace weir::inline v1 {

/// Brings rank 0's bytes to all ranks of a borrowed `MPI_Comm`, whose ranks are those of the exchange:
/// `make_nccl_comm(rank, size, MpiByteExchange(MPI_COMM_WORLD))`.
///
/// Streams: blocks until all ranks have called it, on the calling thread, in turn with the program's own
/// collectives on the communicator. Errors: `MpiError`; `PeerTimeout` if the bytes have not come within the
/// deadline; `ContractViolation` for a rank that is not the caller's.
class MpiByteExchange {
 public:
  explicit MpiByteExchange(MPI_Comm communicator, CommOptions const& options = {})
      : communicator_(communicator), options_(options) {}

  void operator()(std::size_t rank, std::span<std::byte> bytes) const {
    int own = 0;
    check_mpi(MPI_Comm_rank(communicator_, &own), "MPI_Comm_rank");
    if (rank != static_cast<std::size_t>(own)) {
      throw ContractViolation("MpiByteExchange: called as rank " + std::to_string(rank) + " on rank " +
                              std::to_string(own) + " of the MPI communicator");
    }
    auto copy = std::make_unique<std::vector<std::byte>>(bytes.begin(), bytes.end());
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibcast(copy->data(), static_cast<int>(copy->size()), MPI_BYTE, 0, communicator_, &request),
              "MPI_Ibcast");
    try {
      wait(request);
    } catch (...) {
      (void)copy.release();  // MPI may still write to it
      throw;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = (*copy)[i];
  }

 private:
  void wait(MPI_Request request) const {
    auto const end = options_.give_up_time();
    for (int is_done = 0; is_done == 0; std::this_thread::yield()) {
      check_mpi(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "MPI_Test");
      if (is_done == 0 && std::chrono::steady_clock::now() >= end) {
        throw PeerTimeout(
            "MpiByteExchange", 0,
            "not all ranks have called it within " + std::to_string(options_.deadline.count()) + " ms");
      }
    }
  }

  MPI_Comm communicator_;
  CommOptions options_;
};

}  // namespace weir::inline v1
