#include "weir/mask/design/random.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"

TEST_CASE("random_mask: exactly as many entries as asked for, none twice") {
  for (std::size_t nnz : {0u, 1u, 17u, 60u, 61u, 119u, 120u}) {
    CAPTURE(nnz);
    auto const mask = weir::random_mask(12, 10, nnz, 3);
    CHECK(mask.nnz() == nnz);
    CHECK(fault_of(mask) == "");
  }
}

TEST_CASE("random_mask: entries that there is no place for are refused") {
  CHECK_THROWS_WITH_AS(weir::random_mask(12, 10, 121, 3),
                       "nnz 121: at most 120, the positions, would be right", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::random_mask(100'000, 100'000, 5'000'000'000, 3),
                       "nnz 5000000000: at most 4294967295 would be right", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::random_mask(std::size_t{1} << 32, 10, 10, 3),
                       "outputs 4294967296: at most 2^32 - 1 would be right", weir::ContractViolation);
}

TEST_CASE("random_mask: every position is as likely as any other") {
  std::vector<std::size_t> seen(5 * 7);
  constexpr std::size_t masks = 4000;
  for (std::uint64_t seed = 0; seed < masks; ++seed) {
    std::vector<std::uint8_t> const matrix = matrix_of(weir::random_mask(5, 7, 14, seed));
    for (std::size_t i = 0; i < seen.size(); ++i) seen[i] += matrix[i];
  }
  // 0.4 of the masks each; five standard deviations are 155.
  for (std::size_t const count : seen) {
    CHECK(count > 1600 - 155);
    CHECK(count < 1600 + 155);
  }
}

TEST_CASE("random_mask: the same bits for the same seed, everywhere") {
  CHECK(crc32(weir::random_mask(64, 48, 400, 7)) == crc32(weir::random_mask(64, 48, 400, 7)));
  CHECK(crc32(weir::random_mask(64, 48, 400, 7)) != crc32(weir::random_mask(64, 48, 400, 8)));
  CHECK(crc32(weir::random_mask(64, 48, 400, 7)) == 0xc859ff46);
}
