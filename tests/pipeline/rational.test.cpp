#include "weir/pipeline/rational.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using weir::ContractViolation;
using weir::Rational;

TEST_CASE("fractions are exact and in lowest terms") {
  static_assert(Rational(6, -4) == Rational(-3, 2));
  static_assert(Rational(1, 3) + Rational(1, 6) == Rational(1, 2));
  static_assert(Rational(1, 3) - Rational(1, 2) == Rational(-1, 6));
  static_assert(Rational(2, 3) * Rational(9, 4) == Rational(3, 2));
  static_assert(Rational(2, 3) / Rational(4, 9) == Rational(3, 2));
  static_assert(Rational(1, 3) < Rational(334, 1000) && Rational(-1, 2) < Rational(-1, 3));
  CHECK(text(Rational(57, 2)) == "57/2");
  CHECK(text(Rational(-8, 4)) == "-2");
  CHECK(text(Rational()) == "0");
  CHECK(Rational(1, 4).value() == 0.25);
}

TEST_CASE("what does not fit is refused") {
  CHECK_THROWS_AS(Rational(INT64_MAX) + Rational(1), ContractViolation);
  CHECK_THROWS_AS(Rational(INT64_MAX) * Rational(2), ContractViolation);
  CHECK_THROWS_AS(Rational(1, INT64_MAX) + Rational(1, INT64_MAX - 1), ContractViolation);
  CHECK_THROWS_AS(Rational(1, 0), ContractViolation);
  CHECK_THROWS_AS(Rational(1) / Rational(0), ContractViolation);
  CHECK(Rational(INT64_MAX) * Rational(3, 3) == Rational(INT64_MAX));
}

TEST_CASE("integers, fractions and decimals are read exactly") {
  auto const read = [](char const* text) {
    Rational result;
    REQUIRE(weir::read_rational(text, result));
    return result;
  };
  CHECK(read("57") == 57);
  CHECK(read("57/4") == Rational(57, 4));
  CHECK(read("0.1") == Rational(1, 10));
  CHECK(read("-2.50") == Rational(-5, 2));
  CHECK(read(".5") == Rational(1, 2));
  CHECK(read("9223372036854775807") == Rational(INT64_MAX));
}

TEST_CASE("anything else is not read") {
  for (char const* text : {"", "-", "1/0", "1/", "/2", "1e3", "0x1", " 1", "1 ", "1.5/2", "1/2.5", "1..2",
                           ".", "+1", "1/-2", "9223372036854775808", "inf", "nan", "1,5"}) {
    Rational result = 7;
    CAPTURE(text);
    CHECK_FALSE(weir::read_rational(text, result));
    CHECK(result == 7);
  }
}
