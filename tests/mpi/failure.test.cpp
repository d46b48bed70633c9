#include "weir/mpi/failure.hpp"

#include <doctest/doctest.h>

using weir::detail::MpiFailure;
using weir::detail::MpiNotice;

TEST_CASE("every kind of failure is raised as its own exception") {
  MpiFailure failure;
  failure.text = "rank 2 did not take part";
  failure.notice.left.operation = weir::CommOperation::all_reduce;
  failure.notice.left.sequence = 4;
  failure.notice.kind = MpiNotice::Kind::timeout;
  CHECK_THROWS_WITH_AS(failure.raise(), "all_reduce number 4: rank 2 did not take part", weir::PeerTimeout);
  failure.notice.kind = MpiNotice::Kind::mismatch;
  CHECK_THROWS_AS(failure.raise(), weir::FingerprintMismatch);
  failure.notice.kind = MpiNotice::Kind::aborted;
  failure.notice.left_rank = 3;
  CHECK_THROWS_WITH_AS(failure.raise(), "rank 3 has failed or left; the communicator is unusable",
                       weir::PeerAborted);
}
