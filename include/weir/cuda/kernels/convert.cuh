#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// `out = in` between element types, each rounded once.
template <class From, class To>
struct DeviceConvert {
  static constexpr int width = sizeof(From) < sizeof(To) ? full_width<From> : full_width<To>;
  static constexpr int loads = width / full_width<From>;

  From const* in;
  To* out;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink) const {
    Pack<From, Width> from[Rows];
    unroll<Rows>([&](int row) { load_once(in + first + row * stride, from[row]); });
    unroll<Rows>([&](int row) {
      Pack<To, Width> to;
      unroll<Width>([&](int i) { to.elements[i] = same_bits<To>(from[row].elements[i]); });
      store(to, out + first + row * stride);
    });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
