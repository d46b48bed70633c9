#pragma once

#include <cstddef>
#include <string>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/operation_log.hpp"

namespace weir::inline v1::detail {

/// The text of a `FingerprintMismatch`: both sides, and this rank's last operations where the order is in
/// question.
inline std::string mismatch_text(std::size_t own_rank, std::size_t left_rank, Fingerprint const& left,
                                 std::size_t right_rank, Fingerprint const& right, OperationLog const* log) {
  std::string text = "the ranks do not agree: rank " + std::to_string(left_rank) + " calls " + left.text() +
                     "; rank " + std::to_string(right_rank) + " calls " + right.text() + " (seen on rank " +
                     std::to_string(own_rank) + ")";
  bool const is_other_order = left.operation != right.operation || left.sequence != right.sequence ||
                              left.count != right.count || left.type != right.type;
  if (is_other_order && log != nullptr && log->size() > 0) {
    text += ". The last operations of this rank, oldest first:" + log->text();
  }
  return text;
}

/// Compares all ranks with rank 0. `fingerprint_of(rank)`. Empty if they agree.
template <class FingerprintOf>
std::string find_mismatch(std::size_t own_rank, std::size_t ranks, FingerprintOf const& fingerprint_of,
                          OperationLog const* log) {
  for (std::size_t rank = 1; rank < ranks; ++rank) {
    if (fingerprint_of(rank) != fingerprint_of(0)) {
      return mismatch_text(own_rank, 0, fingerprint_of(0), rank, fingerprint_of(rank), log);
    }
  }
  return {};
}

}  // namespace weir::inline v1::detail
