#pragma once

#include <cstddef>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/transpose_halves.hpp"

namespace weir::inline v1 {
namespace detail {

template <class Real, int Count>
[[gnu::always_inline]] inline void activate_lanes(Activation activation, Lanes<Real, Count>& sum) {
  if (activation == Activation::identity) return;
  if constexpr (Count == 1) {
    sum = activate(activation, sum);
  } else {
    using Bits = Lanes<LaneNumber<Real>, Count>;
    Lanes<Real, Count> const zero = {};
    Bits const negative = reinterpret_cast<Bits>(sum <= zero);  // a NaN is not
    sum = reinterpret_cast<Lanes<Real, Count>>(reinterpret_cast<Bits>(sum) & ~negative);
  }
}

/// `sum + bias`, rounded, then the activation, for the outputs from `output` on, of which `count` are there.
template <class Real, int Count>
[[gnu::always_inline]] inline void finish_lanes(ProductEpilogue<Real> const& epilogue, std::size_t output,
                                                std::size_t count, Lanes<Real, Count>& sum) {
  if (epilogue.bias != nullptr) {
    Lanes<Real, Count> bias;
    if (count >= Count) {
      load<Real, Count>(epilogue.bias + output, bias);
    } else {
      load_first<Real, Count>(epilogue.bias + output, count, bias);
    }
    sum += bias;
  }
  activate_lanes<Real, Count>(epilogue.activation, sum);
}

/// The same, written for one sample.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void finish_outputs(ProductEpilogue<Real> const& epilogue, std::size_t output,
                                                  std::size_t count, Lanes<Real, Count>& sum,
                                                  BatchView<Element, HostSpace> const& out,
                                                  std::size_t sample) {
  finish_lanes<Real, Count>(epilogue, output, count, sum);
  if (out.is_batch_major()) {
    return store_first<Real, Count>(sum, count, out.data + sample * out.stride + output);
  }
  Element buffer[Count];
  store<Real, Count>(sum, buffer);
  for (std::size_t i = 0; i < count; ++i) out.data[(output + i) * out.stride + sample] = buffer[i];
}

/// `Count` outputs from `output` on of `Count / 2` samples, whose sums lie sample by sample, written
/// feature-major.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void finish_turned(ProductEpilogue<Real> const& epilogue, std::size_t output,
                                                 Real const* sums, BatchView<Element, HostSpace> const& out,
                                                 std::size_t sample) {
  Lanes<Real, Count> block[Count / 2];
  repeat<Count / 2>([&](auto row) __attribute__((always_inline)) {
    load<Real, Count>(sums + row * Count, block[row]);
    finish_lanes<Real, Count>(epilogue, output, Count, block[row]);
  });
  transpose_halves<Real, Count>(block);
  Element* const to = out.data + output * out.stride + sample;
  repeat<Count / 2>([&](auto i) __attribute__((always_inline)) {
    store_halves<Real, Count>(block[i], to + i * out.stride, to + (i + Count / 2) * out.stride);
  });
}

}  // namespace detail
}  // namespace weir::inline v1
