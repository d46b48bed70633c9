#include "weir/mask/design/random_biregular.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/spectrum.hpp"

namespace {

using weir::DegreeRange;

void check_degrees(std::size_t outputs, std::size_t inputs, std::size_t degree, std::uint64_t seed) {
  CAPTURE(outputs);
  CAPTURE(inputs);
  CAPTURE(degree);
  auto const mask = weir::random_biregular(outputs, inputs, degree, seed);
  std::size_t const stubs = outputs * degree;
  CHECK(weir::row_degrees(mask) == DegreeRange{degree, degree});
  CHECK(weir::column_degrees(mask) == DegreeRange{stubs / inputs, (stubs + inputs - 1) / inputs});
  CHECK(fault_of(mask) == "");
}

}  // namespace

TEST_CASE("random_biregular: equal rows, and columns that differ by at most 1, for every degree") {
  for (std::size_t outputs : {1u, 2u, 3u, 39u, 40u, 64u}) {
    for (std::size_t degree = 1; degree <= 40; ++degree) check_degrees(outputs, 40, degree, outputs + degree);
  }
  check_degrees(300, 250, 70, 1);  // enough for a bit per position
  check_degrees(300, 250, 125, 2);
  check_degrees(300, 250, 180, 3);
}

TEST_CASE("random_biregular: the second singular value is that of a random graph") {
  struct {
    std::size_t outputs, inputs, degree;
  } const shapes[] = {{256, 256, 4},  {256, 256, 16}, {256, 256, 32}, {512, 256, 8},   {256, 512, 32},
                      {768, 256, 16}, {300, 280, 20}, {512, 512, 16}, {1024, 512, 16}, {1024, 1024, 64}};
  // Up to a density of 1/8: beyond, the random graph of these degrees falls below by sqrt(1 - density).
  for (auto const& shape : shapes) {
    std::size_t const outputs = shape.outputs, inputs = shape.inputs, degree = shape.degree;
    double const of_columns = static_cast<double>(outputs * degree) / static_cast<double>(inputs);
    double const expected = std::sqrt(static_cast<double>(degree - 1)) + std::sqrt(of_columns - 1);
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(outputs);
      CAPTURE(inputs);
      CAPTURE(degree);
      CAPTURE(seed);
      double const value =
          weir::singular_values(weir::random_biregular(outputs, inputs, degree, seed)).second;
      CHECK(value > 0.9 * expected);
      CHECK(value < 1.1 * expected);
    }
  }
}

TEST_CASE("random_biregular: the same bits for the same seed, everywhere") {
  CHECK(crc32(weir::random_biregular(64, 48, 9, 7)) != crc32(weir::random_biregular(64, 48, 9, 8)));
  CHECK(crc32(weir::random_biregular(64, 48, 9, 7)) == 0x2f4f1dce);
}

TEST_CASE("random_biregular: degrees that no row has are refused") {
  CHECK_THROWS_WITH_AS(weir::random_biregular(4, 5, 6, 0),
                       "row-degree 6: from 1 to 5, the inputs, would be right", weir::ContractViolation);
  CHECK_THROWS_AS(weir::random_biregular(4, 5, 0, 0), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(
      weir::random_biregular(100'000, 100'000, 50'000, 0),
      "row-degree 50000: at most 42949 with 100000 outputs, of 2^32 - 1 entries, would be right",
      weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::random_biregular(4, std::size_t{1} << 32, 1, 0),
                       "inputs 4294967296: at most 2^32 - 1 would be right", weir::ContractViolation);
}
