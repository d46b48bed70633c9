#include "weir/host/kernels/multiply_gathered.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "host/masked_reference.hpp"
#include "weir/mask/design/cyclic.hpp"

namespace {

TEST_CASE("the narrowest vectors give the same products, in both orders and directions") {
  weir::CyclicDesign const design(73, {1, 2, 4, 8, 16, 32, 37, 55, 64});
  auto const layout = design.layout();
  auto const values = weir_test::random_values<float>(layout, 1);
  for (auto order : {weir::BatchOrder::batch_major, weir::BatchOrder::feature_major}) {
    weir_test::Batch<float> x(23, 73, order), y(23, 73, order), dx(23, 73, order);
    weir_test::fill_batch(x, 2);
    using Kernel = weir::detail::MultiplyGathered<float, float, float>;
    for (bool transposed : {false, true}) {
      auto const entries =
          transposed ? weir::detail::entries_of<true>(layout) : weir::detail::entries_of<false>(layout);
      auto const parts = Kernel::parts_of(entries, 23, 2);
      Kernel const kernel{entries, values.data(), x.constant(), transposed ? dx.view() : y.view(), {}, parts};
      for (std::size_t part = 0; part < parts.count(); ++part) kernel.run<16>(part);
    }
    CHECK(largest_error(expected_product(layout, values, x), y) <= 1e-6);
    CHECK(largest_error(expected_transposed(layout, values, x), dx) <= 1e-6);
  }
}

}  // namespace
