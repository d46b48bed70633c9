#include "weir/host/kernels/gradient_gathered.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/mask/design/cyclic.hpp"

namespace {

TEST_CASE("the narrowest vectors add the same gradient") {
  weir::CyclicDesign const design(73, {1, 2, 4, 8, 16, 32, 37, 55, 64});
  auto const layout = design.layout();
  weir_test::Batch<float> x(70, 73, weir::BatchOrder::batch_major), dy(70, 73, x.order);
  weir_test::fill_batch(x, 2);
  weir_test::fill_batch(dy, 3);
  std::vector<float> gradient(layout.value_count());
  using Kernel = weir::detail::GradientGathered<float, float>;
  auto const entries = weir::detail::entries_of<false>(layout);
  auto const parts = Kernel::parts_of(entries, 70, 2);
  Kernel const kernel{entries, dy.constant(), x.constant(), 0, gradient.data(), parts};
  for (std::size_t part = 0; part < parts.count(); ++part) kernel.run<16>(part);
  CHECK(largest_error(expected_gradient(layout, dy, x), gradient) <= 1e-6);
}

}  // namespace
