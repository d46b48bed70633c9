#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/panel_product.cuh"
#include "cuda/kernels/played_wide_block.cuh"
#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/wide_tiles.cuh"

namespace {

/// The product of 64 rows and 256 rows of some pieces, each 64 of k, whose memory lies one after the other.
template <int Stages>
struct Pieces {
  using Tiles = weir::detail::WideTiles<weir::half, 64, false, false, 2, Stages>;
  weir::half const* left;
  weir::half const* right;
  unsigned steps;
  float* out;

  WEIR_HOST_DEVICE std::size_t blocks() const { return 1; }
  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    using Line = weir::detail::PanelLine<weir::half>;
    typename Tiles::Sums sums = {};
    Tiles::multiply(
        block, Tiles::aligned(block, memory), steps,
        [&](unsigned step, unsigned char* left_panel, unsigned char* right_panels) {
          weir::detail::copy_panels<1, Tiles::threads>(block, left_panel, left,
                                                       [&](unsigned, unsigned row, unsigned) -> Line {
                                                         return {left + (step * 64 + row) * 64, 64};
                                                       });
          weir::detail::copy_panels<4, Tiles::threads>(
              block, right_panels, left, [&](unsigned panel, unsigned row, unsigned) -> Line {
                return {right + (step * 256 + panel * 64 + row) * 64, 64};
              });
        },
        sums);
    Tiles::each_pair(block.thread(), sums, [&](unsigned row, unsigned column, float one, float next) {
      out[row * 256 + column] = one;
      out[row * 256 + column + 1] = next;
    });
  }
};

template <int Stages>
void check(unsigned steps) {
  CAPTURE(steps);
  auto const left = panel::whole_numbers<weir::half>(steps * 64 * 64 + 64, 1);
  auto const right = panel::whole_numbers<weir::half>(steps * 256 * 64 + 64, 2);
  play::Aligned<weir::half> const left_there(left), right_there(right);
  std::vector<float> out(64 * 256, -1.0f), expected(64 * 256);
  play::wide_blocks(Pieces<Stages>{left_there.data, right_there.data, steps, out.data()},
                    Pieces<Stages>::Tiles::threads, Pieces<Stages>::Tiles::shared_bytes);
  for (std::size_t i = 0; i < 64; ++i) {
    for (std::size_t j = 0; j < 256; ++j) {
      for (std::size_t k = 0; k < steps * std::size_t{64}; ++k)
        expected[i * 256 + j] += static_cast<float>(left[(k / 64 * 64 + i) * 64 + k % 64]) *
                                 static_cast<float>(right[(k / 64 * 256 + j) * 64 + k % 64]);
    }
  }
  CHECK(out == expected);
}

}  // namespace

TEST_CASE("two warpgroups sum up any number of pieces") {
  for (unsigned const steps : {0u, 1u, 2u, 3u, 9u}) check<4>(steps);
  check<3>(5);
}
