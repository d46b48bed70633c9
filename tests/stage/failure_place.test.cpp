#include "weir/stage/failure_place.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace {

/// What comes out when `error` is rethrown with a place.
template <class Caught, class Error>
std::string text_of(Error const& error) {
  try {
    try {
      throw error;
    } catch (...) {
      weir::rethrow_at({.rank = 3, .stage = "all-reduce", .bucket = 2, .step = 17});
    }
  } catch (Caught const& caught) {
    return caught.what();
  }
}

}  // namespace

TEST_CASE("an error of the library says where it happened, and keeps its type") {
  std::string const place = " (rank 3, stage all-reduce, bucket 2, step 17)";
  CHECK(text_of<weir::PeerAborted>(weir::PeerAborted("rank 1 has failed")) == "rank 1 has failed" + place);
  CHECK(text_of<weir::FingerprintMismatch>(weir::FingerprintMismatch("other")) == "other" + place);
  CHECK(text_of<weir::NonFiniteGradient>(weir::NonFiniteGradient("nan")) == "nan" + place);
  CHECK(text_of<weir::PeerTimeout>(weir::PeerTimeout("all_reduce", 5, "gone")) ==
        "all_reduce number 5: gone" + place);
}

TEST_CASE("a timeout keeps its operation and its sequence") {
  try {
    try {
      throw weir::PeerTimeout("all_reduce", 5, "gone");
    } catch (...) {
      weir::rethrow_at({});
    }
  } catch (weir::PeerTimeout const& error) {
    CHECK(error.operation() == "all_reduce");
    CHECK(error.sequence() == 5);
  }
}

TEST_CASE("what others throw stays what it is") {
  CHECK(text_of<std::out_of_range>(std::out_of_range("row 9 of 8")) == "row 9 of 8");
  CHECK_THROWS_AS(text_of<std::exception>(7), int);
}
