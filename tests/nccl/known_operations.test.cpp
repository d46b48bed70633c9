#include "weir/nccl/known_operations.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

using weir::CommOperation;
using weir::Fingerprint;
using weir::detail::KnownOperations;

namespace {

Fingerprint all_reduce(std::uint64_t count) {
  Fingerprint fingerprint;
  fingerprint.operation = CommOperation::all_reduce;
  fingerprint.type = weir::WireType::float32;
  fingerprint.count = count;
  return fingerprint;
}

}  // namespace

TEST_CASE("an operation is known whatever its sequence number") {
  KnownOperations known;
  CHECK_FALSE(known.contains(all_reduce(8)));
  Fingerprint first = all_reduce(8);
  first.sequence = 1;
  known.add(first);
  CHECK(known.contains(first));
  first.sequence = 99;
  CHECK(known.contains(first));
}

TEST_CASE("any other difference makes another operation") {
  KnownOperations known;
  Fingerprint const mine = all_reduce(8);
  known.add(mine);
  Fingerprint other = mine;
  other.count = 9;
  CHECK_FALSE(known.contains(other));
  other = mine;
  other.layout = 1;
  CHECK_FALSE(known.contains(other));
  other = mine;
  other.operation = CommOperation::broadcast;
  CHECK_FALSE(known.contains(other));
  other = mine;
  other.type = weir::WireType::int32;
  CHECK_FALSE(known.contains(other));
  other = mine;
  other.op = weir::ReduceOp::max;
  CHECK_FALSE(known.contains(other));
  other = mine;
  other.root = 1;
  CHECK_FALSE(known.contains(other));
}

TEST_CASE("many are found, in whatever order they came") {
  std::mt19937_64 random(1);
  KnownOperations known;
  std::vector<std::uint64_t> counts;
  for (int i = 0; i < 500; ++i) {
    counts.push_back(random());
    known.add(all_reduce(counts.back()));
  }
  for (std::uint64_t const count : counts) CHECK(known.contains(all_reduce(count)));
  for (int i = 0; i < 500; ++i) CHECK_FALSE(known.contains(all_reduce(random())));
}
