#include "weir/comm/fingerprint.hpp"

#include <doctest/doctest.h>

#include <string>

using weir::CommOperation;
using weir::Fingerprint;

TEST_CASE("a fingerprint has 32 bytes and says in one line what is called") {
  static_assert(sizeof(Fingerprint) == 32);
  Fingerprint print;
  print.sequence = 3;
  print.count = 4096;
  print.operation = CommOperation::all_reduce;
  print.type = weir::WireType::float32;
  CHECK(print.text() == "all_reduce number 3 of 4096 float32 (sum)");
  print.layout = 0xabc;
  CHECK(print.text() == "all_reduce number 3 of 4096 float32 (sum), layout 0000000000000abc");
  print.operation = CommOperation::broadcast;
  print.layout = 0;
  print.root = 2;
  CHECK(print.text() == "broadcast number 3 of 4096 float32 from rank 2");
}

TEST_CASE("a difference in any field is a difference") {
  Fingerprint const base;
  auto changed = [&](auto change) {
    Fingerprint print = base;
    change(print);
    return print != base;
  };
  CHECK_FALSE(changed([](Fingerprint&) {}));
  CHECK(changed([](Fingerprint& print) { print.sequence = 1; }));
  CHECK(changed([](Fingerprint& print) { print.count = 1; }));
  CHECK(changed([](Fingerprint& print) { print.layout = 1; }));
  CHECK(changed([](Fingerprint& print) { print.operation = CommOperation::split; }));
  CHECK(changed([](Fingerprint& print) { print.type = weir::WireType::int32; }));
  CHECK(changed([](Fingerprint& print) { print.op = weir::ReduceOp::max; }));
  CHECK(changed([](Fingerprint& print) { print.root = 1; }));
}

TEST_CASE("operations have names") {
  CHECK(std::string(name_of(CommOperation::agree)) == "agree");
  CHECK(std::string(name_of(CommOperation::split)) == "split");
  CHECK(std::string(name_of(static_cast<CommOperation>(77))) == "unknown operation");
}

TEST_CASE("layout hashes depend on the numbers and their order") {
  auto const hash = [](std::uint64_t first, std::uint64_t second) {
    return weir::layout_hash(weir::layout_hash(weir::layout_hash_seed, first), second);
  };
  CHECK(hash(1, 2) == hash(1, 2));
  CHECK(hash(1, 2) != hash(2, 1));
  CHECK(hash(0, 0) != hash(0, 1));
}
