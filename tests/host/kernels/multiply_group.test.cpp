#include "weir/host/kernels/multiply_group.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"

namespace {

using weir_test::Batch;

template <class Element, bool Transposed>
void check_widths(double tolerance) {
  for (std::uint32_t n : {2u, 4u, 8u, 16u, 32u}) {
    CAPTURE(n);
    weir::GroupDesign const design{
        {.outputs = 3 * n + 1, .inputs = 9 * n + 1, .group = n, .levels = n == 4 ? 3u : 1u}};
    auto const layout = design.layout();
    auto const values = weir_test::random_values<Element>(layout, 1);
    std::size_t const from = Transposed ? layout.outputs() : layout.inputs();
    Batch<Element> in(11, from, weir::BatchOrder::batch_major),
        out(11, Transposed ? layout.inputs() : layout.outputs(), in.order);
    weir_test::fill_batch(in, 2);
    auto expected =
        Transposed ? expected_transposed(layout, values, in) : expected_product(layout, values, in);
    for (double& scale : expected.scale) scale = std::fmax(scale, 0x1p-14);
    using Kernel = weir::detail::MultiplyGroup<Element, Element, Element, Transposed>;
    if (!Kernel::takes(layout)) continue;
    auto const nothing = out.elements;
    with_each_product_width(
        [&] {
          out.elements = nothing;
          return Kernel{
              layout, values.data(), in.constant(), out.view(), {}, Kernel::parts_of(layout, 11, 3)};
        },
        [&](char const* width) {
          CAPTURE(width);
          CHECK(largest_error(expected, out) <= tolerance);
        });
  }
}

TEST_CASE("vectors of each width give the same products, forwards and transposed") {
  check_widths<float, false>(1e-6);
  check_widths<float, true>(1e-6);
  check_widths<double, false>(1e-14);
  check_widths<double, true>(1e-14);
  check_widths<weir::bfloat16, false>(0x1p-8);
  check_widths<weir::half, true>(0x1p-11);
}

/// How many outputs are not written by one part, but by none or by several.
template <bool Transposed>
std::size_t wrongly_shared(weir::GroupLayout const& layout, std::size_t samples, std::size_t threads) {
  auto const values = weir_test::random_values<float>(layout, 1);
  Batch<float> in(samples, Transposed ? layout.outputs() : layout.inputs(), weir::BatchOrder::batch_major);
  Batch<float> out(samples, Transposed ? layout.inputs() : layout.outputs(), in.order);
  weir_test::fill_batch(in, 2);
  auto const nothing = out.elements;
  std::vector<std::size_t> writers(nothing.size());
  using Kernel = weir::detail::MultiplyGroup<float, float, float, Transposed>;
  if (!Kernel::takes(layout)) return 0;
  auto const parts = Kernel::parts_of(layout, samples, threads);
  REQUIRE(parts.count() > 1);
  for (std::size_t part = 0; part < parts.count(); ++part) {
    out.elements = nothing;
    weir::detail::multiply_widest(Kernel{layout, values.data(), in.constant(), out.view(), {}, parts}, part);
    for (std::size_t i = 0; i < writers.size(); ++i) writers[i] += std::isnan(out.elements[i]) ? 0 : 1;
  }
  return static_cast<std::size_t>(
      std::count_if(writers.begin(), writers.end(), [](std::size_t count) { return count != 1; }));
}

TEST_CASE("every output is written by one part, for any number of threads") {
  for (std::uint32_t n : {2u, 4u, 8u, 16u, 32u}) {
    weir::GroupDesign const design{{.outputs = 330, .inputs = 250, .group = n, .levels = n == 32 ? 2u : 1u}};
    for (std::size_t samples : {16u, 70u}) {
      for (std::size_t threads : {2u, 3u, 8u, 32u}) {
        CAPTURE(n);
        CAPTURE(samples);
        CAPTURE(threads);
        if (design.value_count() * samples < weir::detail::shared_from_products) continue;
        CHECK(wrongly_shared<false>(design.layout(), samples, threads) == 0);
        CHECK(wrongly_shared<true>(design.layout(), samples, threads) == 0);
      }
    }
  }
}

TEST_CASE("what does not fit the scratch memory, or is no power of two, is left to others") {
  using Kernel = weir::detail::MultiplyGroup<float, float, float, false>;
  CHECK_FALSE(Kernel::takes(weir::GroupDesign{{.outputs = 9, .inputs = 9, .group = 9}}.layout()));
  CHECK_FALSE(Kernel::takes(weir::GroupDesign{{.outputs = 4, .inputs = 4, .group = 1}}.layout()));
  CHECK_FALSE(Kernel::takes(weir::GroupDesign{{.outputs = 2048, .inputs = 2048, .group = 2048}}.layout()));
}

}  // namespace
