#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include "weir/cuda/kernels/fragment.cuh"

using weir::detail::MatrixPlace;
using weir::detail::swizzled;

namespace {

/// 32 lanes name each row of four 8 x 8 matrices once; which quarter of the operand matrix `m` is.
template <class Rows>
constexpr bool covers(Rows const& rows, MatrixPlace const (&quarters)[4]) {
  for (int lane = 0; lane < 32; ++lane) {
    MatrixPlace const quarter = quarters[lane / 8];
    if (!(rows(lane) == MatrixPlace{quarter.row + lane % 8, quarter.column})) return false;
  }
  return true;
}
// Registers of the left operand: rows 0 and 8 of k = 0, then of k = 8. Memory that lies across has k first.
static_assert(covers(weir::detail::left_row_along, {{0, 0}, {8, 0}, {0, 8}, {8, 8}}));
static_assert(covers(weir::detail::left_row_across, {{0, 0}, {0, 8}, {8, 0}, {8, 8}}));
// Registers of two right operands: k = 0 and 8 of columns 0 .. 7, then of columns 8 .. 15.
static_assert(covers(weir::detail::right_row_along, {{0, 0}, {0, 8}, {8, 0}, {8, 8}}));
static_assert(covers(weir::detail::right_row_across, {{0, 0}, {8, 0}, {0, 8}, {8, 8}}));

template <int Width>
void check_banks() {
  std::set<int> places;
  for (int row = 0; row < 64; ++row) {
    for (int chunk = 0; chunk < Width / 8; ++chunk) {
      int const place = swizzled<Width>(row, chunk);
      CHECK(place % 8 == 0);
      CHECK(place / Width == row);
      places.insert(place);
    }
  }
  CHECK(places.size() == 64 * Width / 8);
  for (int first = 0; first < 64; first += 8) {  // the 8 rows that are read at once
    for (int chunk = 0; chunk < Width / 8; ++chunk) {
      std::set<int> banks;
      for (int row = first; row < first + 8; ++row) banks.insert(swizzled<Width>(row, chunk) / 8 % 8);
      CHECK(banks.size() == 8);
    }
  }
  for (int at = 0; at < 64 * Width / 8; at += 8) {  // the 8 chunks that 8 threads in a row write
    std::set<int> banks;
    for (int i = at; i < at + 8; ++i) banks.insert(swizzled<Width>(i / (Width / 8), i % (Width / 8)) / 8 % 8);
    CHECK(banks.size() == 8);
  }
}

}  // namespace

TEST_CASE("the lanes of a warp have each element of a result once") {
  std::set<std::pair<int, int>> places;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) {
      MatrixPlace const place = weir::detail::result_place(lane, i);
      places.emplace(place.row, place.column);
      CHECK((place.row >= 0 && place.row < 16 && place.column >= 0 && place.column < 8));
    }
    CHECK(weir::detail::result_place(lane, 1).column == weir::detail::result_place(lane, 0).column + 1);
  }
  CHECK(places.size() == 128);
}

TEST_CASE("tiles in shared memory have no bank conflicts") {
  check_banks<32>();
  check_banks<64>();
  check_banks<128>();
}
