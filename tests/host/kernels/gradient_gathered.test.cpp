#include "weir/host/kernels/gradient_gathered.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/cyclic.hpp"

namespace {

TEST_CASE("vectors of each width add the same gradient") {
  weir::CyclicDesign const design(73, {1, 2, 4, 8, 16, 32, 37, 55, 64});
  auto const layout = design.layout();
  weir_test::Batch<float> x(70, 73, weir::BatchOrder::batch_major), dy(70, 73, x.order);
  weir_test::fill_batch(x, 2);
  weir_test::fill_batch(dy, 3);
  std::vector<float> gradient;
  using Kernel = weir::detail::GradientGathered<float, float>;
  auto const entries = weir::detail::entries_of<false>(layout);
  with_each_product_width(
      [&] {
        gradient.assign(layout.value_count(), 0.0f);
        return Kernel{entries, dy.constant(),   x.constant(),
                      0,       gradient.data(), Kernel::parts_of(entries, 70, 2)};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(largest_error(expected_gradient(layout, dy, x), gradient) <= 1e-6);
      });
}

}  // namespace
