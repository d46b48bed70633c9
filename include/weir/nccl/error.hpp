#pragma once

#include <nccl.h>

#include <stdexcept>
#include <string>

#include "weir/core/where.hpp"

namespace weir::inline v1 {

/// The name of a result in nccl.h.
constexpr char const* name_of(ncclResult_t result) {
  constexpr char const* names[] = {"ncclSuccess",       "ncclUnhandledCudaError", "ncclSystemError",
                                   "ncclInternalError", "ncclInvalidArgument",    "ncclInvalidUsage",
                                   "ncclRemoteError",   "ncclInProgress"};
  auto const index = static_cast<std::size_t>(result);
  return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown NCCL result";
}

/// An NCCL call has failed; the text names the call, the result, what NCCL says about it, and where the call
/// was made.
class NcclError : public std::runtime_error {
 public:
  /// `communicator` may be null.
  NcclError(ncclResult_t result, char const* call, ncclComm_t communicator, Where where)
      : NcclError(result, describe(result, call, communicator, where)) {}

  /// Says again what was said before.
  NcclError(ncclResult_t result, std::string const& text) : std::runtime_error(text), result_(result) {}

  ncclResult_t result() const { return result_; }

  /// The text of an error: "ncclAllReduce: ncclSystemError, ... (file.hpp:12)".
  static std::string describe(ncclResult_t result, char const* call, ncclComm_t communicator, Where where) {
    char const* const detail = ncclGetLastError(communicator);
    bool const is_detailed = detail != nullptr && *detail != '\0';
    return std::string(call) + ": " + name_of(result) + ", " +
           (is_detailed ? detail : ncclGetErrorString(result)) + " (" + where.text() + ')';
  }

 private:
  ncclResult_t result_;
};

/// Errors: `NcclError` unless the call has succeeded or, with a non-blocking communicator, goes on.
inline void check_nccl(ncclResult_t result, char const* call, ncclComm_t communicator = nullptr,
                       Where where = Where::here()) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  throw NcclError(result, call, communicator, where);
}

}  // namespace weir::inline v1
