#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/gradient_entries.cuh"

namespace {

using weir::BatchOrder;
using weir::GradientMode;
using weir::detail::DeviceSamples;
using weir::detail::LaneShape;
using weir_test::Batch;

template <class Element, class Entries, class Layout>
void check(Layout const& layout, Entries const& entries, std::uint64_t seed, BatchOrder order,
           LaneShape lanes, unsigned columns, weir::ConvolutionShape const* shape, std::size_t samples,
           double tolerance) {
  using Real = weir::AccumulatorOf<Element>;
  CAPTURE(seed);
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  std::uint32_t const taps = shape == nullptr ? 1 : shape->taps();
  Batch<Element> x(shape == nullptr ? samples : shape->input_pixels(), layout.inputs(), order, seed % 3);
  Batch<Element> dy(shape == nullptr ? samples : shape->output_pixels(), layout.outputs(), order, seed % 2);
  weir_test::fill_batch(x, seed + 1);
  weir_test::fill_batch(dy, seed + 2);
  std::vector<Element> const none;
  auto expected = play::Reference<Element, Layout>{layout, shape, none}.gradient(dy, x);
  std::vector<Real> gradient(taps * layout.value_count(), Real{0});
  weir_test::for_each_entry(layout, [&](std::size_t, std::size_t, std::size_t at) {
    for (std::uint32_t tap = 0; tap < taps; ++tap) gradient[tap * layout.value_count() + at] = 7;
  });
  auto const source = play::there(x.constant());
  weir::detail::GradientEntries<Element, Real, Entries> operation{
      entries,
      layout.value_count(),
      DeviceSamples<Element>::of(play::there(dy.constant())),
      shape == nullptr ? DeviceSamples<Element>::of(source)
                       : DeviceSamples<Element>::of(source, *shape, false),
      gradient.data(),
      GradientMode::overwrite,
      lanes,
      columns};
  play::blocks(operation, lanes.threads(), decltype(operation)::Staged::bytes);
  CHECK(largest_error(expected, gradient) <= tolerance);  // also where padding must stay zero
  operation.mode = GradientMode::accumulate;
  play::blocks(operation, lanes.threads(), decltype(operation)::Staged::bytes);
  for (double& value : expected.value) value *= 2;
  CHECK(largest_error(expected, gradient) <= tolerance);
}

template <class Element = float>
void check_group(std::uint64_t seed, double tolerance = 1e-6) {
  play::Draw draw{seed + 99};
  auto const design = play::group_design(seed);
  LaneShape const lanes[] = {{32, 2}, {64, 1}, {32, 4}, {128, 1}};
  LaneShape const shape = lanes[draw.below(4)];
  unsigned const columns = draw.below(2) == 0 ? 64 : 16;
  auto const order = draw.below(4) == 0 ? BatchOrder::feature_major : BatchOrder::batch_major;
  check<Element>(design.layout(), design.layout(), seed, order, shape, columns, nullptr, draw.below(90),
                 tolerance);
}

}  // namespace

TEST_CASE("gradients of group designs are those of the dense matrix at live entries") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) check_group(seed);
  check_group<double>(3, 1e-14);
  check_group<weir::half>(3, 1e-5);
  check_group<weir::bfloat16>(4, 1e-5);
}

TEST_CASE("gradients over many samples of one sign lose no more than those over few") {
  constexpr std::size_t samples = 40'000;
  weir::GroupDesign const design{{.outputs = 6, .inputs = 8, .group = 4}};
  auto const layout = design.layout();
  Batch<float> x(samples, 8, BatchOrder::batch_major), dy(samples, 6, BatchOrder::batch_major);
  for (float& element : x.elements) element = 0.7f;
  for (float& element : dy.elements) element = 0.3f;
  std::vector<float> gradient(layout.value_count());
  LaneShape const lanes{32, 1};
  weir::detail::GradientEntries<float, float, weir::GroupLayout> const operation{
      layout,
      layout.value_count(),
      DeviceSamples<float>::of(play::there(dy.constant())),
      DeviceSamples<float>::of(play::there(x.constant())),
      gradient.data(),
      GradientMode::overwrite,
      lanes,
      16};
  play::blocks(operation, lanes.threads(), decltype(operation)::Staged::bytes);
  double const expected = samples * double{0.7f} * double{0.3f};
  weir_test::for_each_entry(layout, [&](std::size_t, std::size_t, std::size_t at) {
    CHECK(gradient[at] == doctest::Approx(expected).epsilon(1e-5));
  });
}

TEST_CASE("gradients of all other masks are those of the dense matrix at live entries") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    play::each_entry_layout(seed, [&](auto const& layout) {
      check<float>(layout, weir::detail::EntryTable::of(layout), seed, BatchOrder::batch_major, {32, 2}, 64,
                   nullptr, 45, 1e-6);
    });
  }
}

TEST_CASE("gradients of convolutions are those of each tap") {
  weir::ConvolutionShape const shapes[] = {
      {2, 7, 5, 3, 3, 1, 1, 1}, {1, 9, 8, 3, 2, 2, 1, 1}, {2, 8, 8, 2, 3, 1, 0, 2}};
  weir::GroupDesign const design{{.outputs = 21, .inputs = 18, .group = 4, .levels = 2}};
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    check<float>(design.layout(), design.layout(), seed, BatchOrder::batch_major, {32, 2}, 16, &shapes[seed],
                 0, 1e-6);
  }
}
