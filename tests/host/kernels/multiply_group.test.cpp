#include "weir/host/kernels/multiply_group.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"

namespace {

using weir_test::Batch;

#if defined(__x86_64__)
TEST_CASE("narrower vectors give the same products") {
  if (!weir::detail::has_avx2_and_fma()) return;
  for (std::uint32_t n : {2u, 4u, 8u, 32u}) {
    CAPTURE(n);
    weir::GroupDesign const design{
        {.outputs = 3 * n + 1, .inputs = 9 * n + 1, .group = n, .levels = n == 4 ? 3u : 1u}};
    auto const layout = design.layout();
    auto const values = weir_test::random_values<float>(layout, 1);
    Batch<float> x(11, layout.inputs(), weir::BatchOrder::batch_major), y(11, layout.outputs(), x.order);
    weir_test::fill_batch(x, 2);
    using Kernel = weir::detail::MultiplyGroup<float, float, float, false>;
    REQUIRE(Kernel::takes(layout));
    auto const parts = Kernel::parts_of(layout, 11, 3);
    Kernel const kernel{layout, values.data(), x.constant(), y.view(), {}, parts};
    for (std::size_t part = 0; part < parts.count(); ++part) weir::detail::multiply_avx2(kernel, part);
    CHECK(largest_error(expected_product(layout, values, x), y) <= 1e-6);
  }
}
#endif

TEST_CASE("what does not fit the scratch memory, or is no power of two, is left to others") {
  using Kernel = weir::detail::MultiplyGroup<float, float, float, false>;
  CHECK_FALSE(Kernel::takes(weir::GroupDesign{{.outputs = 9, .inputs = 9, .group = 9}}.layout()));
  CHECK_FALSE(Kernel::takes(weir::GroupDesign{{.outputs = 4, .inputs = 4, .group = 1}}.layout()));
  CHECK_FALSE(Kernel::takes(weir::GroupDesign{{.outputs = 2048, .inputs = 2048, .group = 2048}}.layout()));
}

}  // namespace
