#include "weir/host/kernels/multiply_gathered.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

TEST_CASE("vectors of each width give the same products, in both orders and directions") {
  weir::CyclicDesign const design(73, {1, 2, 4, 8, 16, 32, 37, 55, 64});
  auto const layout = design.layout();
  auto const values = weir_test::random_values<float>(layout, 1);
  for (auto order : {weir::BatchOrder::batch_major, weir::BatchOrder::feature_major}) {
    weir_test::Batch<float> in(23, 73, order), out(23, 73, order);
    weir_test::fill_batch(in, 2);
    using Kernel = weir::detail::MultiplyGathered<float, float, float>;
    auto const nothing = out.elements;
    for (bool transposed : {false, true}) {
      auto const expected =
          transposed ? expected_transposed(layout, values, in) : expected_product(layout, values, in);
      auto const entries =
          transposed ? weir::detail::entries_of<true>(layout) : weir::detail::entries_of<false>(layout);
      with_each_product_width(
          [&] {
            out.elements = nothing;
            return Kernel{
                entries, values.data(), in.constant(), out.view(), {}, Kernel::parts_of(entries, 23, 2)};
          },
          [&](char const* width) {
            CAPTURE(width);
            CHECK(largest_error(expected, out) <= 1e-6);
          });
    }
  }
}

/// For all vectors, in both directions.
template <class Real, class Layout>
void check_bits(Layout const& layout) {
  CAPTURE(layout.inputs());
  auto const values = weir_test::random_values<Real>(layout, 1);
  for (bool transposed : {false, true}) {
    auto const entries =
        transposed ? weir::detail::entries_of<true>(layout) : weir::detail::entries_of<false>(layout);
    weir_test::Batch<Real> in(23, entries.inputs, weir::BatchOrder::batch_major);
    weir_test::Batch<Real> out(23, entries.outputs, weir::BatchOrder::batch_major);
    weir_test::fill_batch(in, 2);
    using Kernel = weir::detail::MultiplyGathered<Real, Real, Real>;
    std::vector<Real> first;
    with_each_product_width(
        [&] {
          return Kernel{
              entries, values.data(), in.constant(), out.view(), {}, Kernel::parts_of(entries, 23, 2)};
        },
        [&](char const* width) {
          CAPTURE(width);
          if (first.empty()) first = out.elements;
          CHECK(out.elements == first);
        });
  }
}

TEST_CASE("vectors of each width give the same bits, whatever order the terms of a sum come in") {
  weir::GroupDesign const odd{{.outputs = 600, .inputs = 2300, .group = 25, .levels = 24}};
  check_bits<float>(odd.layout());
  check_bits<double>(odd.layout());
  weir::GroupDesign const grid{{.outputs = 8, .inputs = 75, .group = 8, .levels = 2}};
  check_bits<float>(weir::TiledDesign(grid, 8 * 20, 75 * 20, 20).layout());
}

}  // namespace
