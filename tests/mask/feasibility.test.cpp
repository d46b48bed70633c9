#include "weir/mask/feasibility.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "weir/core/error.hpp"

namespace {

using weir::DesignParameters;
using weir::Verdict;

void check(DesignParameters const& p, Verdict verdict, std::string const& reason) {
  weir::Feasibility const found = weir::feasibility(p);
  CAPTURE(p.v);
  CAPTURE(p.k);
  CAPTURE(found.reason);
  CHECK(found.verdict == verdict);
  CHECK(found.reason.find(reason) != std::string::npos);
}

/// Whether z^2 = a x^2 + c y^2 has a solution other than 0 modulo a power of a prime, with x, y, z not all
/// multiples of it; for a power that is high enough this is the p-adic question.
bool has_solution(std::int64_t a, std::int64_t c, std::int64_t prime) {
  std::int64_t const modulus = prime == 2 ? 64 : prime * prime * prime;
  for (std::int64_t x = 0; x < modulus; ++x) {
    for (std::int64_t y = 0; y < modulus; ++y) {
      std::int64_t const right = ((a * x * x + c * y * y) % modulus + modulus) % modulus;
      for (std::int64_t z = 0; z < modulus; ++z) {
        if (x % prime == 0 && y % prime == 0 && z % prime == 0) continue;
        if (z * z % modulus == right) return true;
      }
    }
  }
  return false;
}

}  // namespace

TEST_CASE("feasibility: impossible by an identity") {
  check({784, 16, 2, 98, 1}, Verdict::impossible, "lambda(v-1) = r(k-1)");
  check({7, 7, 3, 4, 1}, Verdict::impossible, "bk = vr");
  check({16, 12, 3, 4, 1}, Verdict::impossible, "lambda(v-1)");
  check({16, 6, 3, 8, 1}, Verdict::impossible, "lambda(v-1)");
  check({25, 10, 4, 10, 1}, Verdict::impossible, "lambda(v-1)");
  check({21, 15, 5, 7, 1}, Verdict::impossible, "lambda(v-1)");
}

TEST_CASE("feasibility: impossible because of Fisher, with the dual where there is one") {
  check({16, 8, 3, 6, 1}, Verdict::impossible, "Fisher's inequality b >= v does not hold: 8 and 16");
  check({16, 8, 3, 6, 1}, Verdict::impossible, "; no dual has these degrees either");
  check({20, 16, 4, 5, 1}, Verdict::impossible,
        "; the dual of (16,20,5,4,1), affine-plane of order 4, has these degrees");
  check({26, 13, 3, 6, 1}, Verdict::impossible,
        "; the dual of (13,26,6,3,1), steiner-triple of 13 inputs, has these degrees");
  check({14, 7, 3, 6, 1}, Verdict::impossible, "; the dual of (7,14,6,3,2), 2 copies of projective-plane");
  check({42, 36, 6, 7, 1}, Verdict::impossible, "; no dual has these degrees either");  // order 6
  check({88, 33, 3, 8, 1}, Verdict::impossible, "; no dual has these degrees either");  // 16/32 a pair
  check({157 * 12, 157, 13, 156, 1}, Verdict::impossible, "; if there is a (157,1884,156,13,12)");
  check({784, 16, 2, 98, 1}, Verdict::impossible, "; no dual has these degrees either");
  CHECK(weir::feasibility({16, 12, 3, 5, 1}).reason.find("dual") == std::string::npos);  // bk = vr fails
}

TEST_CASE("feasibility: impossible by Bruck, Ryser and Chowla") {
  check({43, 43, 7, 7, 1}, Verdict::impossible, "Bruck-Ryser-Chowla");
  check({211, 211, 15, 15, 1}, Verdict::impossible, "Bruck-Ryser-Chowla");
  check({53, 53, 13, 13, 3}, Verdict::impossible, "Bruck-Ryser-Chowla");
  check({29, 29, 8, 8, 2}, Verdict::impossible, "Bruck-Ryser-Chowla");
  check({22, 22, 7, 7, 2}, Verdict::impossible, "square");
}

TEST_CASE("feasibility: impossible as a residual, or by computer") {
  check({36, 42, 7, 6, 1}, Verdict::impossible, "residual");
  check({15, 21, 7, 5, 2}, Verdict::impossible, "residual");
  check({111, 111, 11, 11, 1}, Verdict::impossible, "computer");
  check({100, 110, 11, 10, 1}, Verdict::impossible, "computer");
  check({46, 69, 9, 6, 1}, Verdict::impossible, "computer");
  check({22, 33, 12, 8, 4}, Verdict::impossible, "computer");
}

TEST_CASE("feasibility: exists, with the family") {
  check({7, 7, 3, 3, 1}, Verdict::exists, "projective-plane of order 2");
  check({16, 20, 5, 4, 1}, Verdict::exists, "affine-plane of order 4");
  check({9, 12, 4, 3, 1}, Verdict::exists, "affine-plane of order 3");
  check({8, 14, 7, 4, 3}, Verdict::exists, "affine-geometry of order 2 and dimension 3");
  check({6, 10, 5, 3, 2}, Verdict::exists, "residual of paley of order 11");
  check({5, 10, 4, 2, 1}, Verdict::exists, "derived of paley of order 11");
  check({9, 12, 8, 6, 5}, Verdict::exists, "complement of affine-plane of order 3");
  check({13, 26, 6, 3, 1}, Verdict::exists, "steiner-triple of 13 inputs");
  check({7, 14, 6, 3, 2}, Verdict::exists, "2 copies of projective-plane of order 2");
  check({27, 27, 13, 13, 6}, Verdict::exists, "paley of order 27");
  check({63, 63, 31, 31, 15}, Verdict::exists, "projective-geometry of order 2 and dimension 5");
  check({323, 323, 161, 161, 80}, Verdict::exists, "twin-prime of order 17");
  check({109, 109, 28, 28, 7}, Verdict::exists, "quartic-residue of order 109");
}

TEST_CASE("feasibility: unknown") {
  check({157, 157, 13, 13, 1}, Verdict::unknown, "no family");
}

TEST_CASE("feasibility: numbers that are no parameters are refused") {
  CHECK_THROWS_AS(weir::feasibility({7, 7, 3, 7, 1}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::feasibility({7, 7, 1, 1, 1}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::feasibility({7, 7, 3, 3, 0}), weir::ContractViolation);
}

TEST_CASE("hilbert_symbol: solutions modulo a high power of the prime") {
  for (std::int64_t a : {1, 2, 3, 5, 6, 7, 10, 12}) {
    for (std::int64_t c : {-7, -6, -3, -2, -1, 1, 2, 3, 5, 6, 15}) {
      CAPTURE(a);
      CAPTURE(c);
      CHECK((weir::hilbert_symbol(a, c, 2) == 1) == has_solution(a, c, 2));
      CHECK((weir::hilbert_symbol(a, c, 3) == 1) == has_solution(a, c, 3));
    }
  }
}

TEST_CASE("hilbert_symbol: the symbols at all places multiply to 1") {
  for (std::int64_t a = 1; a < 60; ++a) {
    for (std::int64_t c = -60; c < 60; ++c) {
      if (c == 0) continue;
      int product = 1;  // a > 0: the real place is 1
      for (std::int64_t prime = 2; prime < 60; ++prime) {
        if (weir::is_prime(static_cast<std::uint64_t>(prime))) product *= weir::hilbert_symbol(a, c, prime);
      }
      REQUIRE(product == 1);
    }
  }
}
