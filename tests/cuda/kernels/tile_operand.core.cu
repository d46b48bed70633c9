#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/tile_operand.cuh"

namespace {

using weir::half;

/// A product of 32 x 32 and 32 x 32 by one warp, whose operands lie along k or across it.
template <bool LeftAcross, bool RightAcross>
struct OneProduct {
  using Operand = weir::detail::TileOperand<half, 32, 32>;
  half const* left;
  half const* right;
  std::size_t left_count;  // elements of each of its rows that are there
  float* out;

  std::size_t blocks() const { return 1; }
  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    half* const of_left = reinterpret_cast<half*>(memory);
    half* const of_right = of_left + Operand::elements;
    Operand::copy<32>(block, of_left, left, left_count,
                      [&](int row, int) { return row == 31 ? nullptr : left + row * 32; });
    Operand::copy<32>(block, of_right, right, 32, [&](int row, int) { return right + row * 32; });
    block.close();
    block.template await_all_but<0>();
    block.sync();
    weir::detail::WarpSums<2, 2> sums;
    for (int k = 0; k < 32; k += 16) {
      std::uint32_t lefts[2][4], rights[2][4];
      for (int i = 0; i < 2; ++i) {
        if constexpr (LeftAcross)
          Operand::left_across(block, of_left, 16 * i, k, lefts[i]);
        else
          Operand::left_along(block, of_left, 16 * i, k, lefts[i]);
        if constexpr (RightAcross)
          Operand::right_across(block, of_right, 16 * i, k, rights[i]);
        else
          Operand::right_along(block, of_right, 16 * i, k, rights[i]);
      }
      sums.add(block, lefts, rights, left);
    }
    sums.each_pair(block.thread(), [&](int row, int column, float one, float next) {
      out[row * 32 + column] = one;
      out[row * 32 + column + 1] = next;
    });
  }
};

template <bool LeftAcross, bool RightAcross>
void check() {
  std::vector<half> left(32 * 32), right(32 * 32);
  for (std::size_t i = 0; i < 1024; ++i) {
    left[i] = half(weir_test::number_at(1, i));
    right[i] = half(weir_test::number_at(2, i));
  }
  play::Aligned<half> const left_there(left), right_there(right);
  for (std::size_t count : {32u, 27u, 8u, 0u}) {
    std::vector<float> out(1024, -1.0f);
    play::blocks(OneProduct<LeftAcross, RightAcross>{left_there.data, right_there.data, count, out.data()},
                 32, 4096);
    for (std::size_t i = 0; i < 32; ++i) {
      for (std::size_t j = 0; j < 32; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < 32; ++k) {
          std::size_t const line = LeftAcross ? k : i, at = LeftAcross ? i : k;
          double const one =
              line == 31 || at >= count ? 0 : static_cast<double>(static_cast<float>(left[line * 32 + at]));
          sum += one * static_cast<double>(static_cast<float>(right[RightAcross ? k * 32 + j : j * 32 + k]));
        }
        CHECK(static_cast<double>(out[i * 32 + j]) == doctest::Approx(sum).epsilon(1e-4));
      }
    }
  }
}

}  // namespace

TEST_CASE("operands are multiplied however they lie, and what is not there is zero") {
  check<false, false>();
  check<false, true>();
  check<true, true>();
  check<true, false>();
}
