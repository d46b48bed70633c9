#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"

namespace {

using weir_test::Batch;

/// The three products with 16-bit elements.
template <class Element>
void check_products(double tolerance) {
  weir::HostExecutor const exec;
  for (std::uint32_t n : {2u, 4u, 8u, 16u, 64u}) {
    CAPTURE(n);
    std::uint32_t const levels = n == 8 ? 3 : 1;
    weir::GroupDesign const design{{.outputs = 2 * n + 5, .inputs = 5 * n + 3, .group = n, .levels = levels}};
    auto const layout = design.layout();
    auto const values = weir_test::random_values<Element>(layout, n);
    Batch<Element> x(13, layout.inputs(), weir::BatchOrder::batch_major, 3), y(13, layout.outputs(), x.order);
    Batch<Element> dy(13, layout.outputs(), x.order), dx(13, layout.inputs(), x.order, 1);
    weir_test::fill_batch(x, 2);
    weir_test::fill_batch(dy, 3);
    std::vector<float> gradient(layout.value_count());
    multiply_masked(exec, layout, weir::view(values), x.constant(), y.view());
    multiply_masked_transposed(exec, layout, weir::view(values), dy.constant(), dx.view());
    masked_weight_gradient(exec, layout, dy.constant(), x.constant(), weir::view(gradient),
                           weir::GradientMode::overwrite);
    exec.synchronize();
    CHECK(largest_error(expected_product(layout, values, x), y) <= tolerance);
    CHECK(largest_error(expected_transposed(layout, values, dy), dx) <= tolerance);
    CHECK(largest_error(expected_gradient(layout, dy, x), gradient) <= 1e-5);  // in float
  }
}

TEST_CASE("products of bfloat16 are summed in float and rounded once") {
  check_products<weir::bfloat16>(0x1p-8);
}

TEST_CASE("products of half are summed in float and rounded once") {
  check_products<weir::half>(0x1p-11);
}

TEST_CASE("the transposed product is that of the explicit transpose bit for bit in double") {
  weir::HostExecutor const exec;
  for (std::uint32_t n : {2u, 3u, 4u, 8u, 16u, 32u, 128u}) {
    CAPTURE(n);
    weir::GroupDesign const design{{.outputs = 3 * n + 7, .inputs = 2 * n + 9, .group = n}};
    auto const layout = design.layout();
    auto const values = weir_test::random_values<double>(layout, n);
    // Rows of the transpose are columns, whose rows ascend.
    std::vector<std::uint32_t> begin = {0};
    std::vector<std::uint32_t> rows;
    std::vector<double> transposed;
    for (std::size_t column = 0; column < layout.inputs(); ++column) {
      for (std::size_t slot = 0; slot < layout.column_degree(column); ++slot) {
        rows.push_back(static_cast<std::uint32_t>(layout.row(column, slot)));
        transposed.push_back(values[layout.value_index_transposed(column, slot)]);
      }
      begin.push_back(static_cast<std::uint32_t>(rows.size()));
    }
    weir::IndexedDesign<std::uint32_t> const explicit_transpose(layout.outputs(), begin, rows);
    Batch<double> dy(11, layout.outputs(), weir::BatchOrder::batch_major), dx(11, layout.inputs(), dy.order);
    Batch<double> wanted(11, layout.inputs(), dy.order);
    weir_test::fill_batch(dy, 3);
    multiply_masked_transposed(exec, layout, weir::view(values), dy.constant(), dx.view());
    multiply_masked(exec, explicit_transpose.layout(), weir::view(transposed), dy.constant(), wanted.view());
    exec.synchronize();
    CHECK(dx.elements == wanted.elements);
    CHECK(largest_error(expected_transposed(layout, values, dy), dx) <= 1e-14);
  }
}

TEST_CASE("the worked example: a mask of 4 x 4 with two entries per row") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 4, .inputs = 4, .group = 2}};
  std::vector<double> const values = {1, 2, 3, 4, 5, 6, 7, 8}, x = {1, 2, 3, 4}, dy = {1, 1, 1, 1};
  std::vector<double> y(4), dx(4), gradient(8);
  auto const layout = design.layout();
  multiply_masked(exec, layout, weir::view(values), weir::batch_major(x.data(), 1, 4),
                  weir::batch_major(y.data(), 1, 4));
  multiply_masked_transposed(exec, layout, weir::view(values), weir::batch_major(dy.data(), 1, 4),
                             weir::batch_major(dx.data(), 1, 4));
  masked_weight_gradient(exec, layout, weir::batch_major(dy.data(), 1, 4), weir::batch_major(x.data(), 1, 4),
                         weir::view(gradient), weir::GradientMode::overwrite);
  exec.synchronize();
  CHECK(y == std::vector<double>{10, 20, 33, 36});
  CHECK(dx == std::vector<double>{6, 8, 11, 11});
  CHECK(gradient == std::vector<double>{1, 2, 3, 4, 1, 2, 4, 3});
}

}  // namespace
