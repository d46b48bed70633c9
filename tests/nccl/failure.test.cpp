#include "weir/nccl/failure.hpp"

#include <doctest/doctest.h>

using weir::detail::NcclFailure;
using Kind = NcclFailure::Kind;

TEST_CASE("each kind of failure is an error of its own") {
  NcclFailure failure;
  failure.text = "why";
  failure.kind = Kind::mismatch;
  CHECK_THROWS_WITH_AS(failure.raise(), "why", weir::FingerprintMismatch);
  failure.kind = Kind::timeout;
  failure.operation.operation = weir::CommOperation::broadcast;
  failure.operation.sequence = 7;
  CHECK_THROWS_WITH_AS(failure.raise(), "broadcast number 7: why", weir::PeerTimeout);
  failure.kind = Kind::nccl;
  failure.result = ncclSystemError;
  CHECK_THROWS_WITH_AS(failure.raise(), "why", weir::NcclError);
}

TEST_CASE("an abort here and one elsewhere are the same error") {
  CHECK_THROWS_WITH_AS(NcclFailure::aborted(3).raise(), "rank 3 has aborted; the communicator is unusable",
                       weir::PeerAborted);
  NcclFailure remote;
  remote.kind = Kind::nccl;
  remote.text = "ncclCommGetAsyncError: ncclRemoteError";
  remote.result = ncclRemoteError;
  CHECK_THROWS_WITH_AS(remote.raise(), "ncclCommGetAsyncError: ncclRemoteError", weir::PeerAborted);
}
