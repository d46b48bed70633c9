#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/leaf_tree.hpp"
#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {
namespace detail {

/// What one lane of a leaf knows of its elements.
struct SquareLane {
  using Node = SquareSum;
  static constexpr unsigned most_blocks = most_leaf_blocks;
  static constexpr int blocks_together = 8;  // on a multiprocessor, with 128 registers for a thread

  double sum = 0.0;
  std::uint32_t non_finite = 0;

  WEIR_HOST_DEVICE void add(float value) {
    bool const is_finite = (bits_of(value) & 0x7fff'ffffu) < float_infinity;
    double const number = is_finite ? static_cast<double>(value) : 0.0;
    sum += number * number;  // the square of a float is exact in double: fused or not, the same bits
    non_finite += is_finite ? 0 : 1;
  }
  WEIR_HOST_DEVICE void add(double value) {
    bool const is_finite = (__builtin_bit_cast(std::uint64_t, value) << 1) < 0xffe0'0000'0000'0000u;
    double const number = is_finite ? value : 0.0;
    sum += rounded_product(number, number);
    non_finite += is_finite ? 0 : 1;
  }
  WEIR_HOST_DEVICE SquareSum node() const { return {sum, non_finite}; }
};

struct StoreMeasurement {
  Measurement* out;
  WEIR_HOST_DEVICE void operator()(SquareSum const& root) const { *out = root.measurement(); }
};

/// Only reads.
template <class Element>
struct DeviceRead {
  using Real = std::conditional_t<std::is_same_v<Element, double>, double, float>;
  static constexpr int loads = 1;
  static constexpr int width = full_width<Element>;

  Element const* in;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    Pack<Element, Width> packs[Rows];
    unroll<Rows>([&](int row) { load_once(in + first + row * stride, packs[row]); });
    unroll<Rows>([&](int row) {
      Real values[Width];
      unroll<Width>([&](int i) { values[i] = as_real<Real>(packs[row].elements[i]); });
      sink(row, values);
    });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
