#pragma once

#include <nccl.h>

#include <cstdint>
#include <string>

#include "weir/comm/fingerprint.hpp"
#include "weir/core/error.hpp"
#include "weir/nccl/error.hpp"

namespace weir::inline v1::detail {

/// Why an `NcclCommunicator` is unusable.
struct NcclFailure {
  enum class Kind : std::uint8_t { none, aborted, timeout, mismatch, nccl };

  Kind kind = Kind::none;
  std::string text;
  Fingerprint operation;              // of a timeout
  ncclResult_t result = ncclSuccess;  // of NCCL

  static NcclFailure aborted(std::size_t rank) {
    return {
        Kind::aborted, "rank " + std::to_string(rank) + " has aborted; the communicator is unusable", {}, {}};
  }

  [[noreturn]] void raise() const {
    switch (kind) {
      case Kind::timeout:
        throw PeerTimeout(name_of(operation.operation), operation.sequence, text);
      case Kind::mismatch:
        throw FingerprintMismatch(text);
      case Kind::nccl:
        if (result != ncclRemoteError) throw NcclError(result, text);
        break;
      case Kind::none:
      case Kind::aborted:
        break;
    }
    throw PeerAborted(text);
  }
};

}  // namespace weir::inline v1::detail
