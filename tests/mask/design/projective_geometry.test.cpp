#include "weir/mask/design/projective_geometry.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

using weir::ProjectiveGeometry;

TEST_CASE("ProjectiveGeometry: planes") {
  for (std::uint64_t q : {2u, 3u, 4u, 5u, 7u, 8u, 9u, 16u, 31u})
    check_exact(ProjectiveGeometry(q), {q * q + q + 1, q * q + q + 1, q + 1, q + 1, 1});
}

TEST_CASE("ProjectiveGeometry: higher dimensions") {
  check_exact(ProjectiveGeometry(2, 3), {15, 15, 7, 7, 3});
  check_exact(ProjectiveGeometry(2, 4), {31, 31, 15, 15, 7});
  check_exact(ProjectiveGeometry(4, 3), {85, 85, 21, 21, 5});
  check_exact(ProjectiveGeometry(9, 3), {820, 820, 91, 91, 10});
}

TEST_CASE("ProjectiveGeometry: what there is no geometry for is refused") {
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(6), "order 6: not a prime power (nearest: 5, 7)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(6, 11), "order 6: not a prime power (nearest: 5)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(31, 9), "dimension 9: too large with order 31 (nearest: 5)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(2048),
                       "order 2048: too large for a design of dimension 2 (nearest: 1621)",
                       weir::ContractViolation);
  for (std::uint64_t const dimension : {std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    std::string const given = "dimension " + std::to_string(dimension) + ": ";
    CHECK_THROWS_WITH_AS(ProjectiveGeometry(2, dimension),
                         (given + "too large with order 2 (nearest: 30)").c_str(), weir::ContractViolation);
    CHECK_THROWS_WITH_AS(ProjectiveGeometry(6, dimension), "order 6: not a prime power",  // none would do
                         weir::ContractViolation);
  }
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(1'000'000'000'000),
                       "order 1000000000000: too large for a design of dimension 2 (nearest: 1621)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(0), "order 0: not a prime power (nearest: 2)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(ProjectiveGeometry(2048, 5),
                       "order 2048: too large for a design of dimension 2 (nearest: 1621)",
                       weir::ContractViolation);
}
