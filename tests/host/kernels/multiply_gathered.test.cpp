#include "weir/host/kernels/multiply_gathered.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/cyclic.hpp"

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

}  // namespace
