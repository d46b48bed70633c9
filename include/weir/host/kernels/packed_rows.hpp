#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/host/kernels/sample_source.hpp"
#include "weir/host/kernels/transpose_halves.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// The first `count` elements, then zeros.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void load_first(Element const* from, std::size_t count,
                                              Lanes<Real, Count>& to) {
  Real buffer[Count] = {};
  for (std::size_t lane = 0; lane < count; ++lane) buffer[lane] = convert<Real>(from[lane]);
  __builtin_memcpy(&to, buffer, sizeof(to));
}

/// Stores the first `count` lanes.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void store_first(Lanes<Real, Count> const& from, std::size_t count,
                                               Element* to) {
  if (count >= Count) return store<Real, Count>(from, to);
  Real buffer[Count];
  __builtin_memcpy(buffer, &from, sizeof(from));
  for (std::size_t lane = 0; lane < count; ++lane) to[lane] = convert<Element>(buffer[lane]);
}

/// Copies `count` features of a sample, converted; zeros follow up to `width` numbers, and are all there is
/// where `from` is null.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void pack_row(Element const* from, std::size_t count, std::size_t width,
                                            Real* to) {
  std::size_t feature = 0;
  if (from != nullptr) {
    for (; feature + Count <= count; feature += Count) {
      Lanes<Real, Count> numbers;
      load<Real, Count>(from + feature, numbers);
      store<Real, Count>(numbers, to + feature);
    }
    for (; feature < count; ++feature) to[feature] = convert<Real>(from[feature]);
  }
  for (; feature < width; ++feature) to[feature] = Real{0};
}

/// Copies features first .. first + count of the samples from `sample` on, at a tap, to `rows` rows of
/// `stride` numbers, converted; zeros follow up to `width` numbers, and fill the rows for which there is no
/// sample.
template <class Real, int Count, class Element>
[[gnu::always_inline]] inline void pack_rows(SampleSource<Element> const& source, std::uint32_t tap,
                                             std::size_t sample, std::size_t rows, std::size_t first,
                                             std::size_t count, std::size_t width, std::size_t stride,
                                             Real* to) {
  std::size_t turned = 0;  // features
  if constexpr (has_lane_instructions && Count >= 8) {
    if (!source.is_batch_major() && rows == Count / 2 && sample + rows <= source.samples) {
      std::size_t const line = source.batch.stride;
      Element const* from = source.batch.data + first * line + sample;
      for (; turned + Count <= count; turned += Count, from += Count * line) {
        Lanes<Real, Count> block[Count / 2];
        repeat<Count / 2>([&](auto i) __attribute__((always_inline)) {
          load_halves<Real, Count>(from + i * line, from + (i + Count / 2) * line, block[i]);
        });
        transpose_halves<Real, Count>(block);
        repeat<Count / 2>([&](auto i) __attribute__((always_inline)) {
          store<Real, Count>(block[i], to + i * stride + turned);
        });
      }
    }
  }
  for (std::size_t row = 0; row < rows; ++row, to += stride) {
    bool const is_there = sample + row < source.samples;
    if (!source.is_batch_major()) {
      std::size_t feature = turned;
      for (; is_there && feature < count; ++feature) {
        to[feature] = convert<Real>(source.batch(sample + row, first + feature));
      }
      for (; feature < width; ++feature) to[feature] = Real{0};
      continue;
    }
    Element const* const all = is_there ? source.row(sample + row, tap) : nullptr;
    pack_row<Real, Count>(all == nullptr ? all : all + first, count, width, to);
  }
}

}  // namespace detail
}  // namespace weir::inline v1
