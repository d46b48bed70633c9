#include "weir/core/where.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {
weir::Where called(weir::Where where = weir::Where::here()) {
  return where;
}
}  // namespace

TEST_CASE("a place names the file, without its folder, and the line of the caller") {
  auto const line = static_cast<unsigned>(__LINE__);
  weir::Where const where = called();
  CHECK(where.line == line + 1);
  CHECK(where.text() == "where.test.cpp:" + std::to_string(line + 1));
}

TEST_CASE("any path is cut to the name of the file") {
  CHECK(weir::Where{"a/b.c/d.hpp", 7}.text() == "d.hpp:7");
  CHECK(weir::Where{"d.hpp", 12}.text() == "d.hpp:12");
  CHECK(weir::Where{"", 0}.text() == ":0");
}
