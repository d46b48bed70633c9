#include "weir/nccl/error.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/nccl/machine.hpp"

using nccl_ranks::text_thrown;
using weir::NcclError;

TEST_CASE("an error names the call, the result and the place") {
  unsigned const line = __LINE__ + 1;
  auto const text = text_thrown<NcclError>([] { weir::check_nccl(ncclSystemError, "ncclAllReduce"); });
  CHECK(text ==
        "ncclAllReduce: ncclSystemError, told by the stand-in (error.test.cpp:" + std::to_string(line) + ")");
}

TEST_CASE("success, and a call that goes on, are no errors") {
  CHECK_NOTHROW(weir::check_nccl(ncclSuccess, "ncclAllReduce"));
  CHECK_NOTHROW(weir::check_nccl(ncclInProgress, "ncclAllReduce"));
}

TEST_CASE("the result can be asked for") {
  try {
    weir::check_nccl(ncclInvalidUsage, "ncclGroupEnd");
    CHECK_MESSAGE(false, "nothing thrown");
  } catch (NcclError const& error) {
    CHECK(error.result() == ncclInvalidUsage);
  }
}

TEST_CASE("results have the names of nccl.h") {
  CHECK(weir::name_of(ncclSuccess) == std::string("ncclSuccess"));
  CHECK(weir::name_of(ncclUnhandledCudaError) == std::string("ncclUnhandledCudaError"));
  CHECK(weir::name_of(ncclSystemError) == std::string("ncclSystemError"));
  CHECK(weir::name_of(ncclInternalError) == std::string("ncclInternalError"));
  CHECK(weir::name_of(ncclInvalidArgument) == std::string("ncclInvalidArgument"));
  CHECK(weir::name_of(ncclInvalidUsage) == std::string("ncclInvalidUsage"));
  CHECK(weir::name_of(ncclRemoteError) == std::string("ncclRemoteError"));
  CHECK(weir::name_of(ncclInProgress) == std::string("ncclInProgress"));
  CHECK(weir::name_of(static_cast<ncclResult_t>(ncclNumResults)) == std::string("unknown NCCL result"));
}
