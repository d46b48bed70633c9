#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/multiply_entries.cuh"

namespace {

using weir::detail::DeviceSamples;
using weir::detail::LaneShape;
using weir_test::Batch;

template <class Element, class Entries, bool Transposed>
using Multiply = weir::detail::MultiplyEntries<Element, Element, Element, Entries, Transposed>;

template <class Element, class Layout>
struct Case {
  Layout const& layout;
  std::uint64_t seed;
  weir_test::BatchOrders orders{};
  LaneShape lanes = {32, 2};
  weir::ConvolutionShape const* shape = nullptr;
  std::size_t samples = 0;  // without a shape

  using Entries = std::conditional_t<std::is_same_v<Layout, weir::GroupLayout>, weir::GroupLayout,
                                     weir::detail::EntryTable>;

  Entries entries() const {
    if constexpr (std::is_same_v<Layout, weir::GroupLayout>) {
      return layout;
    } else {
      return weir::detail::EntryTable::of(layout);
    }
  }
  std::size_t samples_in() const { return shape == nullptr ? samples : shape->input_pixels(); }
  std::size_t samples_out() const { return shape == nullptr ? samples : shape->output_pixels(); }

  DeviceSamples<Element> source(Batch<Element> const& batch, bool transposed) const {
    auto const view = play::there(batch.constant());
    return shape == nullptr ? DeviceSamples<Element>::of(view)
                            : DeviceSamples<Element>::of(view, *shape, transposed);
  }

  void check(double tolerance) const {
    CAPTURE(seed);
    CAPTURE(layout.outputs());
    CAPTURE(layout.inputs());
    auto const values = play::values_of<Element>(layout, shape == nullptr ? 1 : shape->taps(), seed);
    play::Reference<Element, Layout> const reference{layout, shape, values};
    Batch<Element> x(samples_in(), layout.inputs(), orders.inputs, seed % 3),
        y(samples_out(), layout.outputs(), orders.outputs, 1);
    Batch<Element> dy(samples_out(), layout.outputs(), orders.outputs, seed % 2),
        dx(samples_in(), layout.inputs(), orders.inputs, 2);
    weir_test::fill_batch(x, seed + 1);
    weir_test::fill_batch(dy, seed + 2);
    Multiply<Element, Entries, false> const forward{
        entries(), values.data(), layout.value_count(), source(x, false), play::there(y.view()), {}, lanes};
    play::blocks(forward, lanes.threads(), decltype(forward)::Staged::bytes);
    CHECK(largest_error(reference.product(x, y.samples), y) <= tolerance);
    Multiply<Element, Entries, true> const backward{
        entries(), values.data(), layout.value_count(), source(dy, true), play::there(dx.view()), {}, lanes};
    play::blocks(backward, lanes.threads(), decltype(backward)::Staged::bytes);
    CHECK(largest_error(reference.transposed(dy, dx.samples), dx) <= tolerance);
  }
};

}  // namespace

TEST_CASE("products of group designs are those of the dense matrix") {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    play::Draw draw{seed + 77};
    auto const design = play::group_design(seed);
    LaneShape const shapes[] = {{32, 2}, {64, 1}, {32, 4}, {128, 1}};
    Case<float, weir::GroupLayout> const one{.layout = design.layout(),
                                             .seed = seed,
                                             .orders = weir_test::orders_of(draw.below(16)),
                                             .lanes = shapes[draw.below(4)],
                                             .samples = draw.below(70)};
    one.check(1e-6);
  }
}

TEST_CASE("products of all other masks are those of the dense matrix, in every type") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    play::each_entry_layout(seed, [&](auto const& layout) {
      using Layout = std::remove_cvref_t<decltype(layout)>;
      Case<float, Layout>{.layout = layout, .seed = seed, .samples = 21}.check(1e-6);
    });
  }
  auto const design = play::group_design(5);
  Case<double, weir::GroupLayout>{.layout = design.layout(), .seed = 5, .samples = 19}.check(1e-14);
  Case<weir::half, weir::GroupLayout>{.layout = design.layout(), .seed = 5, .samples = 19}.check(2e-3);
  Case<weir::bfloat16, weir::GroupLayout>{.layout = design.layout(), .seed = 5, .samples = 19}.check(1e-2);
}

TEST_CASE("convolutions are sums of products over the taps that lie inside") {
  weir::ConvolutionShape const shapes[] = {
      {2, 7, 5, 3, 3, 1, 1, 1}, {1, 9, 8, 3, 2, 2, 1, 1}, {2, 8, 8, 2, 3, 1, 0, 2}, {1, 6, 6, 5, 5, 1, 2, 1}};
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    weir::GroupDesign const design{
        {.outputs = 21, .inputs = 18, .group = 4, .levels = 1 + static_cast<std::uint32_t>(seed % 2)}};
    Case<float, weir::GroupLayout>{.layout = design.layout(), .seed = seed, .shape = &shapes[seed]}.check(
        1e-6);
  }
}

TEST_CASE("bias and activation come after the sum, and a NaN stays one") {
  weir::detail::LaneShape const lanes{32, 1};
  weir::GroupDesign const design{{.outputs = 21, .inputs = 16, .group = 4}};
  auto const layout = design.layout();
  std::vector<float> const values(layout.value_count(), 0.0f), x(16);
  std::vector<float> bias(21), y(21);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i) - 10;
  bias[3] = std::numeric_limits<float>::quiet_NaN();
  Multiply<float, weir::GroupLayout, false> const forward{
      layout,
      values.data(),
      layout.value_count(),
      DeviceSamples<float>::of(weir::batch_major<weir::DeviceSpace>(x.data(), 1, 16)),
      weir::batch_major<weir::DeviceSpace>(y.data(), 1, 21),
      {bias.data(), weir::Activation::relu},
      lanes};
  play::blocks(forward, 32, decltype(forward)::Staged::bytes);
  for (std::size_t i = 0; i < bias.size(); ++i)
    CHECK((i == 3 ? y[i] != y[i] : y[i] == (i > 10 ? bias[i] : 0.0f)));
}
