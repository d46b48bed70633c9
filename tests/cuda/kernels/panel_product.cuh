#pragma once

// A product of 64 x 64 and 64 x 128 by one warpgroup, for tests of its parts on the host and on a device.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/panel_operand.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace panel {

/// What a body leaves out.
enum class Fault : std::uint8_t { none, no_publish, no_sync, no_open, early_use, early_copy };

/// Both operands have one line for each row, or for each k; behind `count` elements of a line there is
/// nothing. Out is 64 x 128.
template <class Element, bool LeftIsAcross, bool RightIsAcross, Fault fault = Fault::none>
struct Product {
  static constexpr unsigned threads = 128;
  static constexpr std::size_t shared_bytes = 3 * weir::detail::panel_bytes + weir::detail::panel_alignment;

  Element const* left;   // 64 lines of 64
  Element const* right;  // 64 lines of 128, or 128 of 64
  std::size_t count;     // of a line of the left one
  float* out;

  WEIR_HOST_DEVICE std::size_t blocks() const { return 1; }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    using weir::detail::PanelLine;
    constexpr unsigned alignment = weir::detail::panel_alignment;
    unsigned char* const panels = memory + (alignment - block.shared_address(memory) % alignment) % alignment;
    auto const copy = [&] {
      weir::detail::copy_panels<1, threads>(block, panels, left,
                                            [&](unsigned, unsigned row, unsigned) -> PanelLine<Element> {
                                              return {left + row * 64, count};
                                            });
    };
    copy();
    weir::detail::copy_panels<2, threads>(
        block, panels + weir::detail::panel_bytes, left,
        [&](unsigned part, unsigned row, unsigned) -> PanelLine<Element> {
          return {RightIsAcross ? right + row * 128 + part * 64 : right + (part * 64 + row) * 64, 64};
        });
    block.close();
    block.template await_all_but<0>();
    if constexpr (fault != Fault::no_publish) block.publish();
    if constexpr (fault != Fault::no_sync) block.sync();
    float sums[1][64] = {};
    unsigned const address = block.shared_address(panels);
    weir::detail::unroll<2>([&](int turn) {  // the second one adds the same again
      if constexpr (fault != Fault::no_open) block.open_products(sums);
      weir::detail::unroll<4>([&](int step) {
        auto const k = static_cast<unsigned>(16 * step);
        block.template multiply_panels<LeftIsAcross, RightIsAcross>(
            weir::detail::panel_descriptor<LeftIsAcross>(address, k),
            weir::detail::panel_descriptor<RightIsAcross>(address + weir::detail::panel_bytes, k), sums[0],
            left);
      });
      block.close_products();
      if (turn == 0) block.template await_products<1>();
    });
    if constexpr (fault == Fault::early_copy) copy();
    if constexpr (fault == Fault::early_use) sums[0][0] = 0;
    block.await_sums(sums);
    weir::detail::unroll<64>([&](int i) {
      auto const place = weir::detail::panel_result_place(block.thread(), static_cast<unsigned>(i));
      out[place.row * 128 + place.column] = sums[0][i];
    });
  }
};

/// Small whole numbers, so that sums are exact in any order.
template <class Element>
std::vector<Element> whole_numbers(std::size_t size, unsigned seed) {
  std::vector<Element> all(size);
  for (std::size_t i = 0; i < size; ++i)
    all[i] = Element(static_cast<float>((i * 7 + i / 64 * 5 + seed * 3) % 17) - 8.0f);
  return all;
}

template <bool LeftIsAcross, bool RightIsAcross, class Element>
std::vector<float> expected(std::vector<Element> const& left, std::vector<Element> const& right,
                            std::size_t count) {
  std::vector<float> all(64 * 128);
  for (std::size_t i = 0; i < 64; ++i) {
    for (std::size_t j = 0; j < 128; ++j) {
      for (std::size_t k = 0; k < 64; ++k) {
        if ((LeftIsAcross ? i : k) >= count) continue;
        all[i * 128 + j] += 2 * static_cast<float>(left[LeftIsAcross ? k * 64 + i : i * 64 + k]) *
                            static_cast<float>(right[RightIsAcross ? k * 128 + j : j * 64 + k]);
      }
    }
  }
  return all;
}

}  // namespace panel
