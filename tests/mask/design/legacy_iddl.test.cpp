#include "weir/mask/design/legacy_iddl.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

namespace {

/// The number of entries in closed form.
std::size_t entries(std::size_t outputs, std::size_t inputs) {
  std::size_t q = 0;
  while (q * q < inputs) ++q;
  std::size_t const period = q * (q + 1);
  std::size_t count = inputs * (q + 1) * (outputs / period) + inputs * (outputs % period / q);
  std::size_t const slope = outputs % period / q;
  for (std::size_t j = 0; j < outputs % period % q; ++j) {
    if (slope == 0) {
      count += q * j >= inputs ? 0 : inputs - q * j < q ? inputs - q * j : q;
      continue;
    }
    for (std::size_t u = 0; u < q; ++u) {
      std::size_t const column = slope == 1 ? j + q * u : q * u + ((slope - 1) * u + j) % q;
      count += column < inputs ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("legacy_iddl: bit for bit the prototype's masks") {
  CHECK(crc32(weir::legacy_iddl(16, 784)) == 0xccf4c1d3);
  CHECK(crc32(weir::legacy_iddl(64, 64)) == 0x9d883a17);
  auto const small = weir::legacy_iddl(6, 4);
  std::size_t const columns[6][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 3}, {1, 2}};
  for (std::size_t row = 0; row < 6; ++row) {
    CHECK(small.column(row, 0) == columns[row][0]);
    CHECK(small.column(row, 1) == columns[row][1]);
  }
}

TEST_CASE("legacy_iddl: the number of entries") {
  struct {
    std::size_t inputs, outputs, nnz;
  } const known[] = {{784, 16, 448},     {784, 25, 700},     {16, 20, 80},       {25, 30, 150},
                     {36, 42, 252},      {64, 64, 512},      {64, 128, 1024},    {128, 256, 2730},
                     {256, 256, 4096},   {512, 512, 11400},  {64, 256, 2048},    {256, 64, 1024},
                     {256, 128, 2048},   {128, 512, 5460},   {512, 128, 2852},   {512, 256, 5698},
                     {256, 1024, 16384}, {1024, 512, 16384}, {512, 2048, 45590}, {2048, 512, 22792}};
  for (auto const& mask : known) {
    CAPTURE(mask.inputs);
    CAPTURE(mask.outputs);
    CHECK(weir::legacy_iddl(mask.outputs, mask.inputs).nnz() == mask.nnz);
    CHECK(entries(mask.outputs, mask.inputs) == mask.nnz);
  }
  for (std::size_t outputs = 1; outputs < 60; ++outputs) {
    for (std::size_t inputs = 1; inputs < 40; ++inputs)
      CHECK(weir::legacy_iddl(outputs, inputs).nnz() == entries(outputs, inputs));
    for (std::size_t inputs = 1; inputs < 40; ++inputs)
      REQUIRE(weir::detail::legacy_entries(outputs, inputs) == entries(outputs, inputs));
  }
}

TEST_CASE("legacy_iddl: too many entries are refused before any is made") {
  for (std::size_t inputs : {1u, 2u, 65'535u, 65'536u, 65'537u, 1'000'000u, 4'294'967'295u}) {
    CAPTURE(inputs);
    std::size_t const most = weir::detail::most_legacy_outputs(inputs);
    CHECK(weir::detail::legacy_entries(most, inputs) <= 0xffff'ffff);
    CHECK(weir::detail::legacy_entries(most + 1, inputs) > 0xffff'ffff);
  }
  CHECK_THROWS_WITH_AS(weir::legacy_iddl(2'000'000'000, 1'000'000),
                       "outputs 2000000000: at most 4294967 would be right, for 2^32 - 1 entries",
                       weir::ContractViolation);
}

TEST_CASE("legacy_iddl: a block design for a prime order, and dead inputs elsewhere") {
  check_exact(weir::legacy_iddl(30, 25), {25, 30, 6, 5, 1});
  CHECK(weir::certify(weir::legacy_iddl(20, 16)) == weir::DesignParameters{});
  auto const first_layer = weir::legacy_iddl(16, 784);
  std::size_t dead = 0;
  for (std::size_t c = 0; c < 784; ++c) dead += first_layer.column_degree(c) == 0 ? 1 : 0;
  CHECK(dead == 336);
  CHECK_THROWS_AS(weir::legacy_iddl(0, 4), weir::ContractViolation);
}
