#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "weir/comm/fingerprint.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1::detail {

/// What ranks tell each other beside the data.
struct MpiNotice {
  enum class Kind : std::uint32_t {
    waiting,   // `left_rank` waits in `left`: who does something else there has found a mismatch
    aborted,   // `left_rank` has failed
    timeout,   // `left_rank` has given up `left`, for which `right_rank` did not come
    mismatch,  // `left_rank` calls `left`, `right_rank` calls `right`
  };

  Kind kind = Kind::waiting;
  std::uint32_t left_rank = 0;
  std::uint32_t right_rank = 0;
  std::uint32_t padding = 0;
  Fingerprint left;
  Fingerprint right;
};

/// Why a communicator is unusable.
struct MpiFailure {
  MpiNotice notice;
  std::string text;

  [[noreturn]] void raise() const {
    switch (notice.kind) {
      case MpiNotice::Kind::timeout:
        throw PeerTimeout(name_of(notice.left.operation), notice.left.sequence, text);
      case MpiNotice::Kind::mismatch:
        throw FingerprintMismatch(text);
      case MpiNotice::Kind::waiting:
      case MpiNotice::Kind::aborted:
        break;
    }
    throw PeerAborted("rank " + std::to_string(notice.left_rank) +
                      " has failed or left; the communicator is unusable");
  }
};

}  // namespace weir::inline v1::detail
