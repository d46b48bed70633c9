#include "weir/mask/design/affine_geometry.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

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

TEST_CASE("AffineGeometry: parallel classes are rounds in which every worker is in one group") {
  for (std::uint64_t const dimension : {2u, 3u}) {
    weir::AffineGeometry const design(4, dimension);
    std::vector<std::size_t> meetings(design.inputs() * design.inputs());
    for (std::size_t round = 0; round < design.parallel_classes(); ++round) {
      std::vector<std::size_t> groups(design.inputs());
      for (std::size_t group = 0; group < design.rows_per_class(); ++group) {
        std::size_t const row = round * design.rows_per_class() + group;
        for (std::size_t slot = 0; slot < design.row_degree(row); ++slot) {
          ++groups[design.column(row, slot)];
          for (std::size_t other = 0; other < slot; ++other)
            ++meetings[design.column(row, slot) * design.inputs() + design.column(row, other)];
        }
      }
      CHECK(groups == std::vector<std::size_t>(design.inputs(), 1));
    }
    std::size_t const lambda = dimension == 2 ? 1 : 5;
    for (std::size_t one = 0; one < design.inputs(); ++one) {
      for (std::size_t other = 0; other < one; ++other)
        REQUIRE(meetings[one * design.inputs() + other] + meetings[other * design.inputs() + one] == lambda);
    }
  }
}

TEST_CASE("AffineGeometry: groups that average in two rounds of a plane have the mean of all") {
  weir::AffineGeometry const rounds(4);  // 16 workers: 5 rounds, in each of which 4 groups of 4 work at once
  std::vector<double> values(rounds.inputs());
  for (std::size_t worker = 0; worker < values.size(); ++worker)
    values[worker] = static_cast<double>(worker * worker);
  for (std::size_t round = 1; round < 3; ++round) {
    for (std::size_t group = 0; group < rounds.rows_per_class(); ++group) {
      std::size_t const row = round * rounds.rows_per_class() + group;
      double sum = 0;
      for (std::size_t slot = 0; slot < rounds.row_degree(row); ++slot)
        sum += values[rounds.column(row, slot)];
      for (std::size_t slot = 0; slot < rounds.row_degree(row); ++slot)
        values[rounds.column(row, slot)] = sum / static_cast<double>(rounds.row_degree(row));
    }
  }
  CHECK(values == std::vector<double>(16, 1240.0 / 16));
}

TEST_CASE("AffineGeometry: what there is no geometry for is refused") {
  CHECK_THROWS_WITH_AS(AffineGeometry(6), "order 6: not a prime power (nearest: 5, 7)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(4, 1), "dimension 1: 2 or more would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(4, 16), "dimension 16: too large with order 4 (nearest: 15)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(2, ~std::uint64_t{0}),
                       "dimension 18446744073709551615: too large with order 2 (nearest: 31)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(std::uint64_t{1} << 32),
                       "order 4294967296: too large for a design of dimension 2 (nearest: 65521)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(AffineGeometry(65537),
                       "order 65537: too large for a design of dimension 2 (nearest: 65521)",
                       weir::ContractViolation);
}
