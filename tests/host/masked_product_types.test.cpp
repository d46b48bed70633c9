#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "host/masked_reference.hpp"
#include "support/bits.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/random.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

using weir::BatchOrder;
using weir_test::Batch;
using weir_test::BatchOrders;

/// Calls f with a mask of every form that kernels know, cut at both edges where the form can be.
template <class Function>
void for_each_form(Function const& f) {
  for (std::uint32_t n : {2u, 4u, 8u, 16u, 64u}) {
    std::uint32_t const levels = n == 8 ? 3 : n == 16 ? 9 : 1;
    f(weir::GroupDesign{{.outputs = 2 * n + 5, .inputs = 5 * n + 3, .group = n, .levels = levels}}.layout());
  }
  f(weir::GroupDesign{{.outputs = 60, .inputs = 50, .group = 9}}.layout());
  weir::CyclicDesign const cyclic(73, {1, 2, 4, 8, 16, 32, 37, 55, 64});
  f(cyclic.layout());
  f(weir::IndexedDesign<std::uint16_t>::of(weir::random_mask(40, 90, 360, 3)).layout());
  weir::GroupDesign const grid{{.outputs = 5, .inputs = 7, .group = 4, .levels = 2}};
  f(weir::TiledDesign(grid, 5 * 32 - 11, 7 * 32 - 20, 32).layout());
  f(weir::TiledDesign(grid, 5 * 12 - 7, 7 * 12 - 5, 12).layout());
}

/// Calls f with a small mask of a form that is drawn, mostly cut, and a number of samples.
template <class Function>
void with_drawn_form(std::uint64_t seed, Function const& f) {
  std::uint32_t count = 0;
  auto const below = [&](std::uint32_t bound) { return weir::philox({{++count, 0, 0, 2}}, seed)[0] % bound; };
  std::uint32_t const kind = seed % 8;
  std::size_t const samples = below(4) == 0 ? below(2) : below(20);
  if (kind < 4) {
    std::uint32_t const n = kind == 3 ? 9 : 1u << below(7);
    std::uint32_t const levels = n < 4 || n == 9 || below(2) == 0 ? 1 : 1 + below(n - 1);
    weir::GroupDesign const design{{.outputs = n + below(n + 12),
                                    .inputs = n + below(n + 20),
                                    .group = n,
                                    .levels = levels,
                                    .seed = seed}};
    f(design.layout(), samples);
  } else if (kind < 6) {
    std::uint32_t const side = kind == 4 ? 16 : 1 + below(9);
    std::uint32_t const n = 1u << below(3);
    std::size_t const rows = n + below(3), columns = n + below(3);
    weir::GroupDesign const grid{{.outputs = rows, .inputs = columns, .group = n}};
    f(weir::TiledDesign(grid, rows * side - below(side), columns * side - below(side), side).layout(),
      samples);
  } else if (kind == 6) {
    std::uint32_t const order = 3 + below(90);
    std::vector<std::uint32_t> differences;
    for (std::uint32_t d = 0; d < order; ++d) {
      if (below(7) == 0) differences.push_back(d);
    }
    f(weir::CyclicDesign(order, differences).layout(), samples);
  } else {
    std::size_t const rows = 1 + below(40), columns = 1 + below(60);
    auto const mask = weir::random_mask(rows, columns, rows * columns / (2 + below(8)), seed);
    f(weir::IndexedDesign<std::uint16_t>::of(mask).layout(), samples);
  }
}

template <class Element>
struct Operands {
  template <class Layout>
  Operands(Layout const& layout, std::size_t samples, BatchOrders orders, std::size_t room)
      : values(weir_test::random_values<Element>(layout, 1)),
        x(samples, layout.inputs(), orders.inputs, room),
        y(samples, layout.outputs(), orders.outputs, room),
        dy(samples, layout.outputs(), orders.outputs, room),
        dx(samples, layout.inputs(), orders.inputs, room),
        gradient(layout.value_count(), weir::AccumulatorOf<Element>{7}) {
    weir_test::fill_batch(x, 2);
    weir_test::fill_batch(dy, 3);
  }
  template <class Layout>
  void multiply(weir::HostExecutor const& exec, Layout const& layout) {
    multiply_masked(exec, layout, weir::view(values), x.constant(), y.view());
    multiply_masked_transposed(exec, layout, weir::view(values), dy.constant(), dx.view());
    masked_weight_gradient(exec, layout, dy.constant(), x.constant(), weir::view(gradient),
                           weir::GradientMode::overwrite);
    exec.synchronize();
  }
  std::vector<Element> values;
  Batch<Element> x, y, dy, dx;
  std::vector<weir::AccumulatorOf<Element>> gradient;
};

/// The three products against their definitions. Below `least` all results are equally far apart.
template <class Element, class Layout>
void check_products(Layout const& layout, std::size_t samples, BatchOrders orders, std::size_t room,
                    double tolerance, double least) {
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  CAPTURE(samples);
  CAPTURE((orders.inputs == BatchOrder::batch_major));
  CAPTURE((orders.outputs == BatchOrder::batch_major));
  auto const error = [least](weir_test::Expected expected, Batch<Element> const& batch) {
    for (double& scale : expected.scale) scale = std::fmax(scale, least);
    return largest_error(expected, batch);
  };
  Operands<Element> o(layout, samples, orders, room);
  o.multiply(weir::HostExecutor(), layout);
  CHECK(error(expected_product(layout, o.values, o.x), o.y) <= tolerance);
  CHECK(error(expected_transposed(layout, o.values, o.dy), o.dx) <= tolerance);
  double const of_sums = sizeof(Element) == 8 ? tolerance : 1e-5;  // in float
  CHECK(largest_error(expected_gradient(layout, o.dy, o.x), o.gradient) <= of_sums);
}

/// Of every form, for batches from none on, in all orders, with room between lines, and of random shapes.
template <class Element>
void check_all_products(double tolerance, double least = 0) {
  for_each_form([&](auto const& layout) {
    for (std::size_t samples : {0u, 1u, 2u, 13u, 70u}) {
      for (BatchOrder order : {BatchOrder::batch_major, BatchOrder::feature_major})
        check_products<Element>(layout, samples, {order}, samples % 2 * 3, tolerance, least);
    }
  });
  for (std::uint64_t seed = 0; seed < 240; ++seed) {
    CAPTURE(seed);
    with_drawn_form(seed, [&](auto const& layout, std::size_t samples) {
      check_products<Element>(layout, samples, weir_test::orders_of(seed % 7), seed % 4, tolerance, least);
    });
  }
}

TEST_CASE("products of bfloat16 are summed in float and rounded once") {
  check_all_products<weir::bfloat16>(0x1p-8);
}

TEST_CASE("products of half are summed in float and rounded once") {
  check_all_products<weir::half>(0x1p-11, 0x1p-14);
}

TEST_CASE("products of double are summed in double") {
  check_all_products<double>(1e-14);
}

template <class Element>
void check_threads() {
  for_each_form([](auto const& layout) {
    CAPTURE(layout.outputs());
    CAPTURE(layout.inputs());
    for (BatchOrder order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
      Operands<Element> one(layout, 150, {order}, 0);
      one.multiply(weir::HostExecutor({.threads = 1}), layout);
      for (std::size_t threads : {2u, 3u}) {
        Operands<Element> many(layout, 150, {order}, 0);
        many.multiply(weir::HostExecutor({.threads = threads}), layout);
        CHECK(same_bits(many.y.elements, one.y.elements));
        CHECK(same_bits(many.dx.elements, one.dx.elements));
        CHECK(same_bits(many.gradient, one.gradient));
      }
    }
  });
}

TEST_CASE("the products of every form and type have the same bits for any number of threads") {
  check_threads<weir::bfloat16>();
  check_threads<weir::half>();
  check_threads<double>();
}

/// The transposed product as one chain of fused multiply-adds per input, over its entries in the order in
/// which the layout lists them.
struct Chains {
  template <class Layout>
  Chains(Layout const& layout, std::vector<double> const& values, Batch<double> const& dy)
      : dx(dy.samples, layout.inputs(), BatchOrder::batch_major) {
    for (std::size_t column = 0; column < layout.inputs(); ++column) {
      std::size_t next = 0;
      for (std::size_t i = 0; i < dy.samples; ++i) dx.view()(i, column) = 0;
      weir::detail::visit_column(layout, column, 0, layout.outputs(), [&](std::size_t row, std::size_t at) {
        is_ascending = is_ascending && row >= next;
        next = row + 1;
        for (std::size_t i = 0; i < dy.samples; ++i) {
          double& sum = dx.view()(i, column);
          sum = std::fma(values[at], dy(i, row), sum);
        }
      });
    }
  }
  Batch<double> dx;
  bool is_ascending = true;
};

TEST_CASE("the transposed product is that of the explicit transpose bit for bit in double") {
  weir::HostExecutor const exec;
  int forms = 0, ascending = 0;
  auto const check = [&](auto const& layout) {
    CAPTURE(layout.outputs());
    CAPTURE(layout.inputs());
    Operands<double> o(layout, 11, {}, 0);
    o.multiply(exec, layout);
    Chains const chains(layout, o.values, o.dy);
    CHECK(same_bits(o.dx.elements, chains.dx.elements));
    ++forms;
    ascending += chains.is_ascending ? 1 : 0;
    if (!chains.is_ascending) {  // several levels: then for numbers of which no sum is rounded
      for (double& value : o.values) value = std::round(64 * value);
      for (double& element : o.dy.elements) element = std::round(64 * element);
      o.multiply(exec, layout);
    }
    auto const [transpose, values] = weir_test::explicit_transpose(layout, o.values);
    Batch<double> wanted(11, layout.inputs(), BatchOrder::batch_major);
    multiply_masked(exec, transpose.layout(), weir::view(values), o.dy.constant(), wanted.view());
    exec.synchronize();
    CHECK(o.dx.elements == wanted.elements);
  };
  for (std::uint32_t n : {2u, 3u, 4u, 8u, 16u, 32u, 128u})
    check(weir::GroupDesign{{.outputs = 3 * n + 7, .inputs = 2 * n + 9, .group = n}}.layout());
  weir::GroupDesign const grid{{.outputs = 5, .inputs = 7, .group = 4}};
  check(weir::TiledDesign(grid, 5 * 32 - 11, 7 * 32 - 20, 32).layout());
  check(weir::TiledDesign(grid, 5 * 12 - 7, 7 * 12 - 5, 12).layout());
  for_each_form(check);
  CHECK(forms == 19);
  CHECK(ascending == 15);  // all but two of elements and two of tiles
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
