#include "weir/host/kernels/gradient_group.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"

namespace {

#if defined(__x86_64__)
TEST_CASE("narrower vectors give the same gradients") {
  if (!weir::detail::has_avx2_and_fma()) return;
  for (std::uint32_t n : {2u, 4u, 8u, 32u}) {
    CAPTURE(n);
    weir::GroupDesign const design{
        {.outputs = 3 * n + 1, .inputs = 9 * n + 1, .group = n, .levels = n == 4 ? 3u : 1u}};
    auto const layout = design.layout();
    weir_test::Batch<float> x(70, layout.inputs(), weir::BatchOrder::batch_major),
        dy(70, layout.outputs(), x.order);
    weir_test::fill_batch(x, 2);
    weir_test::fill_batch(dy, 3);
    std::vector<float> gradient(layout.value_count(), 9.0f);
    using Kernel = weir::detail::GradientGroup<float, float>;
    REQUIRE(Kernel::takes(layout));
    auto const parts = Kernel::parts_of(layout, 70, 3);
    Kernel const kernel{
        layout, dy.constant(), x.constant(), 0, gradient.data(), weir::GradientMode::overwrite, parts};
    for (std::size_t part = 0; part < parts.count(); ++part) weir::detail::multiply_avx2(kernel, part);
    CHECK(largest_error(expected_gradient(layout, dy, x), gradient) <= 1e-5);
  }
}
#endif

TEST_CASE("odd groups are left to others") {
  CHECK_FALSE(weir::detail::GradientGroup<float, float>::takes(
      weir::GroupDesign{{.outputs = 9, .inputs = 9, .group = 9}}.layout()));
}

}  // namespace
