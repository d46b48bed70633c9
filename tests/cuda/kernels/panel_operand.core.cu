#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "cuda/kernels/panel_product.cuh"
#include "cuda/kernels/played_wide_block.cuh"
#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/panel_operand.cuh"

namespace {

using panel::Fault;
using weir::detail::panel_descriptor;
using weir::detail::panel_offset;

// Address 0x1400 in units of 16 bytes, 64 such from 8 lines to the next, and the swizzle of 128 bytes.
static_assert(panel_descriptor<false>(0x1400, 0) == 0x4000'0040'0001'0140);
static_assert(panel_descriptor<false>(0x1400, 48) == 0x4000'0040'0001'0146);
// Across: 512 from 64 rows to the next, and each k is a line.
static_assert(panel_descriptor<true>(0x1400, 0) == 0x4000'0040'0200'0140);
static_assert(panel_descriptor<true>(0x3'0000, 48) == 0x4000'0040'0200'3180);

template <class Element, bool LeftIsAcross, bool RightIsAcross>
void check() {
  auto const left = panel::whole_numbers<Element>(64 * 64, 1),
             right = panel::whole_numbers<Element>(64 * 128, 2);
  play::Aligned<Element> const left_there(left), right_there(right);
  using Product = panel::Product<Element, LeftIsAcross, RightIsAcross>;
  for (std::size_t const count : {64u, 61u, 8u, 0u}) {
    CAPTURE(count);
    std::vector<float> out(64 * 128, -1.0f);
    play::wide_blocks(Product{left_there.data, right_there.data, count, out.data()}, Product::threads,
                      Product::shared_bytes);
    CHECK(out == panel::expected<LeftIsAcross, RightIsAcross>(left, right, count));
  }
}

template <Fault fault>
bool is_right() {
  auto const left = panel::whole_numbers<weir::half>(64 * 64, 1),
             right = panel::whole_numbers<weir::half>(64 * 128, 2);
  play::Aligned<weir::half> const left_there(left), right_there(right);
  using Product = panel::Product<weir::half, false, false, fault>;
  std::vector<float> out(64 * 128);
  play::wide_blocks(Product{left_there.data, right_there.data, 64, out.data()}, Product::threads,
                    Product::shared_bytes);
  return out == panel::expected<false, false>(left, right, 64);
}

}  // namespace

TEST_CASE("a warpgroup multiplies panels however their operands lie") {
  check<weir::half, false, false>();
  check<weir::bfloat16, true, false>();
  check<weir::half, true, true>();
  check<weir::bfloat16, false, true>();
}

TEST_CASE("a played product shows what a body leaves out") {
  CHECK(is_right<Fault::none>());
  CHECK_FALSE(is_right<Fault::no_sync>());
  CHECK_THROWS_AS(is_right<Fault::no_publish>(), std::logic_error);
  CHECK_THROWS_AS(is_right<Fault::no_open>(), std::logic_error);
  CHECK_THROWS_AS(is_right<Fault::early_use>(), std::logic_error);
  CHECK_THROWS_AS(is_right<Fault::early_copy>(), std::logic_error);
}

TEST_CASE("the threads of a warpgroup have each element of a result once") {
  std::set<std::pair<int, int>> places;
  for (unsigned thread = 0; thread < 128; ++thread) {
    for (unsigned i = 0; i < 64; ++i) {
      auto const place = weir::detail::panel_result_place(thread, i);
      CHECK((place.row >= 0 && place.row < 64 && place.column >= 0 && place.column < 128));
      places.emplace(place.row, place.column);
    }
  }
  CHECK(places.size() == 64 * 128);
}

TEST_CASE("chunks of a panel have places of their own, those of a column in 8 lines banks of their own") {
  std::set<unsigned> places;
  for (unsigned line = 0; line < 64; ++line) {
    for (unsigned chunk = 0; chunk < 8; ++chunk) {
      CHECK(panel_offset(line, chunk) / 128 == line);
      places.insert(panel_offset(line, chunk));
    }
  }
  CHECK(places.size() == 512);
  for (unsigned chunk = 0; chunk < 8; ++chunk) {
    std::set<unsigned> banks;
    for (unsigned line = 8; line < 16; ++line) banks.insert(panel_offset(line, chunk) % 128);
    CHECK(banks.size() == 8);
  }
}
