#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// `out = value`, of elements of 2, 4 or 8 bytes, and only if the condition, where there is one, is not 0.
template <class Word>
struct DeviceFill {
  static constexpr int loads = 1;
  static constexpr int width = full_width<Word>;

  Word* out;
  Word value;
  std::uint64_t const* condition = nullptr;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink) const {
    if (condition != nullptr && *condition == 0) return;
    Pack<Word, Width> pack;
    unroll<Width>([&](int i) { pack.elements[i] = value; });
    unroll<Rows>([&](int row) { store(pack, out + first + row * stride); });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
