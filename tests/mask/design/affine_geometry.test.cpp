#include "weir/mask/design/affine_geometry.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

using weir::AffineGeometry;

TEST_CASE("AffineGeometry: planes of every order up to 32") {
  for (std::uint64_t q : {2u, 3u, 4u, 5u, 7u, 8u, 9u, 11u, 13u, 16u, 25u, 27u, 32u})
    check_exact(AffineGeometry(q), {q * q, q * q + q, q + 1, q, 1});
}

TEST_CASE("AffineGeometry: higher dimensions") {
  check_exact(AffineGeometry(2, 3), {8, 14, 7, 4, 3});
  check_exact(AffineGeometry(3, 3), {27, 39, 13, 9, 4});
  check_exact(AffineGeometry(4, 3), {64, 84, 21, 16, 5});
  check_exact(AffineGeometry(2, 5), {32, 62, 31, 16, 15});
  check_exact(AffineGeometry(8, 3), {512, 584, 73, 64, 9});
  check_exact(AffineGeometry(3, 4), {81, 120, 40, 27, 13});
}

TEST_CASE("AffineGeometry: the rows of a plane are y = ax + c, then x = c") {
  weir::GaloisField const field(9);
  AffineGeometry const plane(9);
  for (std::uint32_t x = 0; x < 9; ++x) {
    for (std::uint32_t c = 0; c < 9; ++c) {
      for (std::uint32_t a = 0; a < 9; ++a)
        CHECK(plane.contains(a * 9 + c, x * 9 + field.add(field.multiply(a, x), c)));
      CHECK(plane.contains(81 + x, x * 9 + c));
    }
  }
}

TEST_CASE("AffineGeometry: classes of q rows hold every input once") {
  AffineGeometry const space(4, 3);
  for (std::size_t input = 0; input < 64; ++input) {
    for (std::size_t slot = 0; slot < 21; ++slot) CHECK(space.row(input, slot) / 4 == slot);
  }
}

TEST_CASE("AffineGeometry: what there is no geometry for is refused") {
  CHECK_THROWS_WITH_AS(AffineGeometry(6), "order 6: not a prime power (nearest: 5, 7)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(4, 1), "dimension 1: 2 or more would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(4, 16), "dimension 16: too large with order 4 (nearest: 15)",
                       weir::ContractViolation);
}
