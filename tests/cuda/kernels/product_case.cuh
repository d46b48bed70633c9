#pragma once

// Products with a mask by played kernels, and what they must give.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/played_block.cuh"
#include "host/masked_reference.hpp"
#include "weir/core/random.hpp"
#include "weir/cuda/kernels/device_samples.cuh"
#include "weir/cuda/kernels/entry_table.cuh"
#include "weir/cuda/kernels/product_tuning.cuh"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/tiled.hpp"

namespace play {

struct Draw {
  std::size_t below(std::size_t bound) { return weir::philox({{++count, 0, 0, 1}}, key)[0] % bound; }
  std::uint64_t key;
  std::uint32_t count = 0;
};

/// Played kernels find device memory on the host.
template <class Element>
weir::BatchView<Element, weir::DeviceSpace> there(weir::BatchView<Element, weir::HostSpace> view) {
  return {view.data, view.samples, view.features, view.stride, view.order};
}

/// Memory that begins at a multiple of 16 bytes, or so many elements later.
template <class Element>
struct Aligned {
  explicit Aligned(std::vector<Element> const& from, std::size_t offset = 0)
      : words(from.size() * sizeof(Element) / 16 + 2 + offset),
        data(reinterpret_cast<Element*>(words.data()) + offset) {
    for (std::size_t i = 0; i < from.size(); ++i) data[i] = from[i];
  }
  Aligned(Aligned const&) = delete;
  std::vector<uint4> words;
  Element* data;
};

/// The three products of a convolution, or without a shape of a plain product, as their definitions say.
template <class Element, class Layout>
struct Reference {
  Layout const& layout;
  weir::ConvolutionShape const* shape;
  std::vector<Element> const& values;  // tap by tap

  std::uint32_t taps() const { return shape == nullptr ? 1 : shape->taps(); }
  std::size_t line(std::size_t output, std::uint32_t tap) const {
    return shape == nullptr ? output : shape->input_of(output, tap);
  }

  template <class Function>
  void each(std::size_t samples, Function const& f) const {
    for (std::uint32_t tap = 0; tap < taps(); ++tap) {
      for (std::size_t sample = 0; sample < samples; ++sample) {
        std::size_t const from = line(sample, tap);
        if (from == weir::ConvolutionShape::outside) continue;
        weir_test::for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t at) {
          f(sample, from, row, column, tap * layout.value_count() + at);
        });
      }
    }
  }

  weir_test::Expected product(weir_test::Batch<Element> const& x, std::size_t samples) const {
    weir_test::Expected all(samples * layout.outputs());
    each(samples, [&](std::size_t sample, std::size_t from, std::size_t row, std::size_t column,
                      std::size_t at) {
      all.add(sample * layout.outputs() + row, weir::detail::convert<double>(values[at]) * x(from, column));
    });
    return all;
  }
  weir_test::Expected transposed(weir_test::Batch<Element> const& dy, std::size_t inputs) const {
    weir_test::Expected all(inputs * layout.inputs());
    each(dy.samples, [&](std::size_t sample, std::size_t from, std::size_t row, std::size_t column,
                         std::size_t at) {
      all.add(from * layout.inputs() + column, weir::detail::convert<double>(values[at]) * dy(sample, row));
    });
    return all;
  }
  weir_test::Expected gradient(weir_test::Batch<Element> const& dy,
                               weir_test::Batch<Element> const& x) const {
    weir_test::Expected all(taps() * layout.value_count());
    each(dy.samples, [&](std::size_t sample, std::size_t from, std::size_t row, std::size_t column,
                         std::size_t at) { all.add(at, dy(sample, row) * x(from, column)); });
    return all;
  }
};

/// Values of all taps.
template <class Element, class Layout>
std::vector<Element> values_of(Layout const& layout, std::uint32_t taps, std::uint64_t seed) {
  std::vector<Element> all;
  for (std::uint32_t tap = 0; tap < taps; ++tap) {
    auto const of_tap = weir_test::random_values<Element>(layout, seed + tap);
    all.insert(all.end(), of_tap.begin(), of_tap.end());
  }
  return all;
}

/// Calls `f(layout)` for masks of every kind.
template <class Function>
void each_entry_layout(std::uint64_t seed, Function const& f) {
  Draw draw{seed + 1000};
  std::uint32_t const v = 40 + static_cast<std::uint32_t>(draw.below(90));
  std::vector<std::uint32_t> differences;
  for (std::uint32_t d = 0; d < v; ++d) {
    if (draw.below(7) == 0) differences.push_back(d);
  }
  weir::CyclicDesign const cyclic(v, differences);
  f(cyclic.layout());
  auto const indexed16 = weir::IndexedDesign<std::uint16_t>::of(cyclic);
  auto const indexed32 = weir::IndexedDesign<std::uint32_t>::of(cyclic);
  if (draw.below(2) == 0)
    f(indexed16.layout());
  else
    f(indexed32.layout());
  weir::GroupDesign grid{{.outputs = 5, .inputs = 7, .group = 4, .levels = 2, .seed = seed}};
  weir::TiledDesign const tiled(std::move(grid), 5 * 12 - draw.below(12), 7 * 12 - draw.below(12), 12);
  f(tiled.layout());
}

inline weir::GroupDesign group_design(std::uint64_t seed) {
  Draw draw{seed};
  std::uint32_t const orders[] = {1, 2, 4, 8, 16, 32, 64, 3, 9, 25};
  std::uint32_t const n = orders[draw.below(10)];
  std::uint32_t const levels =
      n < 4 || n % 2 != 0 || draw.below(2) == 0 ? 1 : 1 + static_cast<std::uint32_t>(draw.below(n - 1));
  std::size_t const outputs = n + draw.below(n + 60), inputs = n + draw.below(3 * n + 90);
  return weir::GroupDesign{
      {.outputs = outputs, .inputs = inputs, .group = n, .levels = levels, .seed = seed}};
}

}  // namespace play
