#include "weir/comm/operation_log.hpp"

#include <doctest/doctest.h>

TEST_CASE("the log keeps the last 64 operations, oldest first") {
  weir::OperationLog log;
  CHECK(log.size() == 0);
  CHECK(log.text().empty());
  weir::Fingerprint print;
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    print.sequence = sequence;
    log.add(print);
    CHECK(log.size() == (sequence < 64 ? sequence : 64));
    CHECK(log[log.size() - 1].sequence == sequence);
    CHECK(log[0].sequence == (sequence <= 64 ? 1 : sequence - 63));
  }
  CHECK(log.text().find("number 36 ") == std::string::npos);
  CHECK(log.text().find("\n  agree number 37 of 0 bytes\n") == 0);
}
