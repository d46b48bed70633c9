#include "weir/host/kernels/gradient_group.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"

namespace {

template <class Element>
void check_widths(double tolerance) {
  using Real = weir::AccumulatorOf<Element>;
  for (std::uint32_t n : {2u, 4u, 8u, 16u, 32u}) {
    CAPTURE(n);
    weir::GroupDesign const design{
        {.outputs = 3 * n + 1, .inputs = 9 * n + 1, .group = n, .levels = n == 4 ? 3u : 1u}};
    auto const layout = design.layout();
    weir_test::Batch<Element> x(70, layout.inputs(), weir::BatchOrder::batch_major),
        dy(70, layout.outputs(), x.order);
    weir_test::fill_batch(x, 2);
    weir_test::fill_batch(dy, 3);
    std::vector<Real> gradient;
    using Kernel = weir::detail::GradientGroup<Element, Real>;
    if (!Kernel::takes(layout)) continue;
    with_each_product_width(
        [&] {
          gradient.assign(layout.value_count(), Real{9});
          return Kernel{layout,
                        dy.constant(),
                        x.constant(),
                        0,
                        gradient.data(),
                        weir::GradientMode::overwrite,
                        Kernel::parts_of(layout, 70, 3)};
        },
        [&](char const* width) {
          CAPTURE(width);
          CHECK(largest_error(expected_gradient(layout, dy, x), gradient) <= tolerance);
        });
  }
}

TEST_CASE("vectors of each width give the same gradients") {
  check_widths<float>(1e-5);
  check_widths<double>(1e-14);
  check_widths<weir::bfloat16>(1e-5);
}

TEST_CASE("odd groups are left to others") {
  CHECK_FALSE(weir::detail::GradientGroup<float, float>::takes(
      weir::GroupDesign{{.outputs = 9, .inputs = 9, .group = 9}}.layout()));
}

}  // namespace
