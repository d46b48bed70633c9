#include "weir/host/kernels/multiply_group_once.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "support/bits.hpp"
#include "weir/mask/design/group.hpp"

namespace {

using weir_test::Batch;

template <class Element>
struct Kernels {
  using Once = weir::detail::MultiplyGroupOnce<Element, Element, Element>;
  using Several = weir::detail::MultiplyGroup<Element, Element, Element, true>;
};

/// Of one sample, by vectors of each width and any number of parts, with the bits of the kernel for several.
template <class Element>
void check_bits(weir::GroupDesign const& design) {
  using Once = typename Kernels<Element>::Once;
  using Several = typename Kernels<Element>::Several;
  auto const layout = design.layout();
  auto const values = weir_test::random_values<Element>(layout, 1);
  Batch<Element> dy(1, layout.outputs(), weir::BatchOrder::batch_major),
      dx(1, layout.inputs(), weir::BatchOrder::batch_major);
  weir_test::fill_batch(dy, 2);
  if (!Once::takes(layout, dy.constant())) return;
  std::vector<weir::AccumulatorOf<Element>> bias(layout.inputs());
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = weir_test::number_at(3, i);
  weir::ProductEpilogue<weir::AccumulatorOf<Element>> const epilogue{bias.data(), weir::Activation::relu};
  auto const nothing = dx.elements;
  std::vector<std::vector<Element>> expected;
  with_each_product_width(
      [&] {
        dx.elements = nothing;
        return Several{layout,    values.data(), dy.constant(),
                       dx.view(), epilogue,      Several::parts_of(layout, 1, 1)};
      },
      [&](char const*) { expected.push_back(dx.elements); });
  for (std::size_t threads : {1u, 3u}) {
    std::size_t width_index = 0;
    with_each_product_width(
        [&] {
          dx.elements = nothing;
          return Once{layout,    values.data(), dy.constant(),
                      dx.view(), epilogue,      Once::parts_of(layout, threads)};
        },
        [&](char const* width) {
          CAPTURE(width);
          CAPTURE(threads);
          CHECK(same_bits(dx.elements, expected[width_index++]));
        });
  }
}

}  // namespace

TEST_CASE("one sample has the bits that it has among several") {
  for (std::uint32_t n : {2u, 4u, 8u, 16u, 32u, 64u}) {
    for (std::uint32_t levels : {1u, 2u, 5u}) {
      if (levels >= n) continue;
      for (std::uint64_t seed : {0u, 3u}) {
        for (std::size_t cut : {0u, 1u}) {
          CAPTURE(n);
          CAPTURE(levels);
          CAPTURE(seed);
          CAPTURE(cut);
          weir::GroupDesign const design{
              {.outputs = 3 * n - cut, .inputs = 16 * n - cut, .group = n, .levels = levels, .seed = seed}};
          check_bits<float>(design);
          check_bits<double>(design);
          check_bits<weir::bfloat16>(design);
          check_bits<weir::half>(design);
        }
      }
    }
  }
  // Of several parts, and of more outputs than one has sums for.
  check_bits<float>(weir::GroupDesign{{.outputs = 64, .inputs = 20'000, .group = 4}});
  check_bits<float>(weir::GroupDesign{{.outputs = 64, .inputs = 20'000, .group = 32}});
}

TEST_CASE("every output is written by one part") {
  using Once = Kernels<float>::Once;
  for (std::uint32_t n : {2u, 8u, 16u, 64u}) {
    CAPTURE(n);
    weir::GroupDesign const design{{.outputs = 2048, .inputs = 1024, .group = n}};
    auto const layout = design.layout();
    auto const values = weir_test::random_values<float>(layout, 1);
    Batch<float> dy(1, 2048, weir::BatchOrder::batch_major), dx(1, 1024, weir::BatchOrder::batch_major);
    weir_test::fill_batch(dy, 2);
    if (!Once::takes(layout, dy.constant())) continue;
    auto const nothing = dx.elements;
    auto const parts = Once::parts_of(layout, 3);
    if (layout.value_count() >= weir::detail::shared_from_products) CHECK(parts.count() > 1);
    std::vector<int> writers(nothing.size());
    for (std::size_t part = 0; part < parts.count(); ++part) {
      dx.elements = nothing;
      weir::detail::multiply_widest(Once{layout, values.data(), dy.constant(), dx.view(), {}, parts}, part);
      for (std::size_t i = 0; i < writers.size(); ++i) writers[i] += std::isnan(dx.elements[i]) ? 0 : 1;
    }
    CHECK(std::count(writers.begin(), writers.end(), 1) == 1024);
  }
}

TEST_CASE(
    "several samples, samples in the other order, convolutions and vectors of several levels are not its "
    "own") {
  using Once = Kernels<float>::Once;
  auto const layout_of = [](std::uint32_t n, std::uint32_t levels, std::size_t inputs) {
    return weir::GroupDesign{{.outputs = 64, .inputs = inputs, .group = n, .levels = levels}};
  };
  auto const takes = [](weir::GroupDesign const& design, weir::detail::SampleSource<float> const& in) {
    return Once::takes(design.layout(), in);
  };
  Batch<float> const one(1, 64, weir::BatchOrder::batch_major), two(2, 64, weir::BatchOrder::batch_major),
      other(1, 64, weir::BatchOrder::feature_major);
  bool const can = weir::detail::permutes_lanes();
  CHECK(takes(layout_of(4, 1, 64), one.constant()) == can);
  CHECK(takes(layout_of(32, 3, 96), one.constant()) == can);
  CHECK_FALSE(takes(layout_of(4, 1, 64), two.constant()));
  CHECK_FALSE(takes(layout_of(4, 1, 64), other.constant()));
  CHECK_FALSE(takes(layout_of(4, 2, 64), one.constant()));
  CHECK_FALSE(takes(layout_of(4, 1, 68), one.constant()));
  weir::ConvolutionShape const shape{1, 1, 1, 1, 1, 1, 0, 1};
  CHECK_FALSE(takes(layout_of(4, 1, 64), {one.constant(), shape}));
}
