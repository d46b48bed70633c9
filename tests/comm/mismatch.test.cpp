#include "weir/comm/mismatch.hpp"

#include <doctest/doctest.h>

#include <array>

TEST_CASE("ranks that agree have no mismatch, one that differs is named beside rank 0") {
  std::array<weir::Fingerprint, 3> prints;
  for (auto& print : prints) print.sequence = 5;
  auto const find = [&](weir::OperationLog const* log) {
    return weir::detail::find_mismatch(
        1, 3, [&](std::size_t rank) { return prints[rank]; }, log);
  };
  CHECK(find(nullptr).empty());
  prints[2].layout = 1;
  weir::OperationLog log;
  log.add(prints[1]);
  CHECK(find(&log) ==
        "the ranks do not agree: rank 0 calls agree number 5 of 0 bytes; rank 2 calls agree number 5 of 0 "
        "bytes, "
        "layout 0000000000000001 (seen on rank 1)");
  prints[2].operation = weir::CommOperation::split;
  CHECK(
      find(&log).ends_with(". The last operations of this rank, oldest first:\n  agree number 5 of 0 bytes"));
}
