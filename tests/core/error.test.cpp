#include "weir/core/error.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>

TEST_CASE("A worker's error names worker, micro-batch and cause, and keeps the cause") {
  weir::WorkerError const error(1, 2, 5, std::make_exception_ptr(std::out_of_range("row 9 of 8")));
  CHECK(std::string(error.what()) == "rank 1, worker 2, micro-batch 5: row 9 of 8");
  CHECK_THROWS_AS(std::rethrow_exception(error.cause()), std::out_of_range);
  CHECK(std::string(weir::WorkerError(0, 0, 0, std::make_exception_ptr(7)).what()) ==
        "rank 0, worker 0, micro-batch 0: an exception that is not a std::exception");
}

TEST_CASE("A timeout names the operation, its number and what was waited for") {
  weir::PeerTimeout const error("all_reduce", 41, "rank 3 did not come within 2 s");
  CHECK(error.operation() == "all_reduce");
  CHECK(error.sequence() == 41);
  CHECK(std::string(error.what()) == "all_reduce number 41: rank 3 did not come within 2 s");
}

TEST_CASE("Running out of memory says how many bytes could not be had, and is a bad_alloc") {
  try {
    throw weir::OutOfMemory(123456);
  } catch (std::bad_alloc const& error) {
    CHECK(std::string(error.what()).find("123456 bytes") != std::string::npos);
    CHECK(dynamic_cast<weir::OutOfMemory const&>(error).bytes() == 123456);
  }
}
