#include "weir/host/masked_product.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "fault/sanitizers.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/random.hpp"
#include "weir/mask/design/tiled.hpp"
#include "weir/mask/design/twin_prime.hpp"
#include "weir/state/checksum.hpp"

namespace {

/// Where every access costs a hundred, every fourth is drawn; four has no divisor in common with the kinds.
constexpr std::uint64_t seed_stride = UNDER_THREAD_SANITIZER ? 4 : 1;

using weir::BatchOrder;
using weir_test::Batch;

struct Draw {
  std::size_t below(std::size_t bound) { return weir::philox({{++count, 0, 0, 1}}, key)[0] % bound; }
  std::uint64_t key;
  std::uint32_t count = 0;
};

/// All three products of one mask and batch, against their definitions.
template <class Element, class Layout>
void check_products(weir::HostExecutor const& exec, Layout const& layout, std::size_t samples,
                    weir_test::BatchOrders orders, std::size_t room, std::uint64_t seed, double tolerance) {
  using Real = weir::AccumulatorOf<Element>;
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  CAPTURE(samples);
  CAPTURE(room);
  CAPTURE((orders.inputs == BatchOrder::batch_major));
  CAPTURE((orders.outputs == BatchOrder::batch_major));
  auto const values = weir_test::random_values<Element>(layout, seed);
  Batch<Element> x(samples, layout.inputs(), orders.inputs, room), dx = x;
  Batch<Element> y(samples, layout.outputs(), orders.outputs, room), dy = y;
  weir_test::fill_batch(x, seed + 1);
  weir_test::fill_batch(dy, seed + 2);
  multiply_masked(exec, layout, weir::view(values), x.constant(), y.view());
  multiply_masked_transposed(exec, layout, weir::view(values), dy.constant(), dx.view());
  std::vector<Real> gradient(layout.value_count(), Real{7});
  masked_weight_gradient(exec, layout, dy.constant(), x.constant(), weir::view(gradient),
                         weir::GradientMode::overwrite);
  exec.synchronize();
  CHECK(largest_error(expected_product(layout, values, x), y) <= tolerance);
  CHECK(largest_error(expected_transposed(layout, values, dy), dx) <= tolerance);
  auto const expected = expected_gradient(layout, dy, x);
  CHECK(largest_error(expected, gradient) <= 1e-5);  // also where padding must be zero

  auto const once = gradient;
  masked_weight_gradient(exec, layout, dy.constant(), x.constant(), weir::view(gradient),
                         weir::GradientMode::accumulate);
  exec.synchronize();
  auto twice = expected;
  for (double& value : twice.value) value *= 2;
  CHECK(largest_error(twice, gradient) <= 1e-5);
}

TEST_CASE("the three products of random group designs are those of the dense matrix") {
  weir::HostExecutor const exec;
  for (std::uint64_t seed = 0; seed < 120; seed += seed_stride) {
    CAPTURE(seed);
    Draw draw{seed};
    std::uint32_t const n = 1u << draw.below(8);
    std::size_t const outputs = n + draw.below(n + 40);
    std::size_t const inputs = n + draw.below(2 * n + 60);
    std::uint32_t const levels =
        n < 4 || draw.below(2) == 0 ? 1 : 1 + static_cast<std::uint32_t>(draw.below(n - 1));
    std::size_t const samples = draw.below(4) == 0 ? draw.below(3) : draw.below(24);
    weir::GroupDesign const design{
        {.outputs = outputs, .inputs = inputs, .group = n, .levels = levels, .seed = seed}};
    CAPTURE(n);
    CAPTURE(levels);
    auto const orders = weir_test::orders_of(draw.below(16));
    check_products<float>(exec, design.layout(), samples, orders, draw.below(20), seed, 1e-5);
  }
}

TEST_CASE("the three products of tiles are those of the dense matrix") {
  weir::HostExecutor const exec;
  for (std::uint64_t seed = 0; seed < 40; seed += seed_stride) {
    CAPTURE(seed);
    Draw draw{seed + 1000};
    std::uint32_t const sides[] = {1, 3, 8, 16, 32, 48, 64, 128};
    std::uint32_t const side = sides[draw.below(8)];
    std::uint32_t const n = 1u << draw.below(3);
    std::size_t const rows = n + draw.below(4), columns = n + draw.below(6);
    std::size_t const outputs = rows * side - draw.below(side);
    std::size_t const inputs = columns * side - draw.below(side);
    weir::GroupDesign grid{{.outputs = rows, .inputs = columns, .group = n}};
    weir::TiledDesign const design(std::move(grid), outputs, inputs, side);
    CAPTURE(side);
    auto const orders = weir_test::orders_of(draw.below(16));
    check_products<float>(exec, design.layout(), draw.below(40), orders, draw.below(5), seed, 1e-5);
  }
}

TEST_CASE("the three products of masks of every other kind are those of the dense matrix") {
  weir::HostExecutor const exec;
  for (std::uint64_t seed = 0; seed < 60; seed += seed_stride) {
    CAPTURE(seed);
    Draw draw{seed + 2000};
    auto const orders = weir_test::orders_of(draw.below(16));
    std::size_t const samples = draw.below(80);
    if (seed % 3 == 0) {
      std::uint32_t const v = 2 + static_cast<std::uint32_t>(draw.below(700));
      std::vector<std::uint32_t> differences;
      for (std::uint32_t d = 0; d < v; ++d) {
        if (draw.below(9) == 0) differences.push_back(d);
      }
      check_products<float>(exec, weir::CyclicDesign(v, differences).layout(), samples, orders, 1, seed,
                            1e-5);
    } else if (seed % 3 == 1) {
      std::size_t const inputs = 1 + draw.below(700);
      std::vector<std::uint32_t> row_begin = {0};
      std::vector<std::uint16_t> columns;
      for (std::size_t row = 0, rows = 1 + draw.below(90); row < rows; ++row) {
        for (std::size_t column = 0; column < inputs; ++column) {
          if (draw.below(11) == 0) columns.push_back(static_cast<std::uint16_t>(column));
        }
        row_begin.push_back(static_cast<std::uint32_t>(columns.size()));
      }
      weir::IndexedDesign<std::uint16_t> const design(inputs, row_begin, columns);
      check_products<float>(exec, design.layout(), samples, orders, 2, seed, 1e-5);
    } else {
      std::uint32_t const groups[] = {3, 5, 7, 9, 25, 27};
      std::uint32_t const n = groups[draw.below(6)];
      weir::GroupDesign const design{
          {.outputs = n + draw.below(60), .inputs = n + draw.below(600), .group = n, .seed = seed}};
      check_products<float>(exec, design.layout(), samples, orders, 0, seed, 1e-5);
    }
  }
}

TEST_CASE("lists of entries reach beyond 65,536 inputs and outputs") {
  weir::HostExecutor const exec;
  auto const wide = weir::random_mask(5, 70'000, 900, 1), tall = weir::random_mask(70'000, 5, 900, 2);
  for (std::size_t const samples : {1u, 9u}) {
    check_products<float>(exec, wide.layout(), samples, {}, 0, 1, 1e-5);
    check_products<float>(exec, tall.layout(), samples, {}, 0, 2, 1e-5);
  }
}

TEST_CASE("what is not a number is an error wherever it stands, in these checks too") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t at = 0; at < 3; ++at) {
    weir_test::Expected expected(3);
    for (std::size_t i = 0; i < 3; ++i) expected.add(i, 1);
    std::vector<float> values(3, 1.0f);
    CHECK(largest_error(expected, values) == 0);
    values[at] = nan;
    CHECK(largest_error(expected, values) > 1);
    Batch<float> batch(1, 3, BatchOrder::batch_major);
    batch.elements = values;
    CHECK(largest_error(expected, batch) > 1);
  }
}

/// All bits of the three products with a team of threads.
template <class Layout>
std::vector<float> products(std::size_t threads, Layout const& layout, std::size_t samples,
                            std::size_t first = 0) {
  weir::HostExecutor const exec({.threads = threads});
  auto const values = weir_test::random_values<float>(layout, 1);
  std::size_t const all_samples = first + samples;
  Batch<float> x(all_samples, layout.inputs(), BatchOrder::batch_major), dx = x;
  Batch<float> y(all_samples, layout.outputs(), BatchOrder::batch_major), dy = y;
  weir_test::fill_batch(x, 2);
  weir_test::fill_batch(dy, 3);
  std::vector<float> gradient(layout.value_count());
  std::vector<float> const bias(layout.outputs(), 0.25f);
  auto const in = x.constant().part_of_samples(first, samples);
  auto const out_gradient = dy.constant().part_of_samples(first, samples);
  multiply_masked(exec, layout, weir::view(values), in, y.view().part_of_samples(first, samples),
                  {.bias = bias.data(), .activation = weir::Activation::relu});
  multiply_masked_transposed(exec, layout, weir::view(values), out_gradient,
                             dx.view().part_of_samples(first, samples));
  masked_weight_gradient(exec, layout, out_gradient, in, weir::view(gradient), weir::GradientMode::overwrite);
  exec.synchronize();
  std::vector<float> all;
  for (std::size_t i = first; i < first + samples; ++i) {
    for (std::size_t f = 0; f < layout.outputs(); ++f) all.push_back(y.constant()(i, f));
    for (std::size_t f = 0; f < layout.inputs(); ++f) all.push_back(dx.constant()(i, f));
  }
  if (first == 0) all.insert(all.end(), gradient.begin(), gradient.end());
  return all;
}

/// Calls f with a mask of every form that kernels know, large enough for several threads.
template <class Function>
void for_each_form(Function const& f) {
  for (std::uint32_t n : {4u, 32u})
    f(weir::GroupDesign{{.outputs = 500, .inputs = 700, .group = n}}.layout());
  f(weir::GroupDesign{{.outputs = 500, .inputs = 700, .group = 16, .levels = 3}}.layout());
  f(weir::GroupDesign{{.outputs = 500, .inputs = 700, .group = 9}}.layout());
  weir::ProjectiveGeometry const plane(19);
  f(plane.layout());
  f(weir::IndexedDesign<std::uint16_t>::of(plane).layout());
  weir::GroupDesign const grid{{.outputs = 15, .inputs = 20, .group = 4, .levels = 2}};
  f(weir::TiledDesign(grid, 15 * 32 - 9, 20 * 32 - 30, 32).layout());
  f(weir::TiledDesign(grid, 15 * 20 - 9, 20 * 20 - 13, 20).layout());
}

TEST_CASE("the products have the same bits for any number of threads") {
  for_each_form([](auto const& layout) {
    CAPTURE(layout.outputs());
    CAPTURE(layout.inputs());
    auto const one = products(1, layout, 64);
    CHECK(products(2, layout, 64) == one);
    CHECK(products(3, layout, 64) == one);
  });
}

/// Each sample of a batch of 67, alone and with others.
template <class Layout>
void check_batches(Layout const& layout) {
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  constexpr std::size_t all = 67;
  auto const whole = products(1, layout, all);
  std::size_t const of_sample = layout.outputs() + layout.inputs();
  for (std::size_t count : {1u, 2u, 3u, 5u, 12u}) {
    CAPTURE(count);
    for (std::size_t first : {std::size_t{20}, all - count}) {
      auto const part = products(1, layout, count, first);
      CHECK(std::equal(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count * of_sample),
                       whole.begin() + static_cast<std::ptrdiff_t>(first * of_sample)));
    }
  }
}

TEST_CASE("the product of a sample has the same bits in every batch") {
  for (std::uint32_t n : {4u, 32u})
    check_batches(weir::GroupDesign{{.outputs = 100, .inputs = 200, .group = n}}.layout());
}

TEST_CASE("the product of a sample has the same bits in every batch, whatever order its terms come in") {
  for (std::uint32_t n : {3u, 5u, 9u, 25u, 27u}) {
    if ((UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER) && n != 9) continue;  // which is slow
    check_batches(weir::GroupDesign{{.outputs = 630, .inputs = 1100, .group = n, .levels = n - 1}}.layout());
  }
  weir::GroupDesign const grid{{.outputs = 32, .inputs = 75, .group = 16, .levels = 2}};
  check_batches(weir::TiledDesign(grid, 32 * 20 - 9, 75 * 20 - 13, 20).layout());
  for (std::uint32_t levels : {2u, 3u})
    check_batches(
        weir::GroupDesign{{.outputs = 2049, .inputs = 2600, .group = 2048, .levels = levels}}.layout());
  check_batches(weir::TwinPrimeDesign(23).layout());  // slot by slot
}

/// A kernel that only says with how large vectors it runs.
struct VectorProbe {
  static constexpr bool permutes = false;
  template <int VectorBytes>
  void run(std::size_t) const {
    *bytes = VectorBytes;
  }
  int* bytes;
};

struct Checksums {
  std::uint64_t results;         // y and dx
  std::uint64_t gradient_of_16;  // bytes of the vectors
  std::uint64_t gradient_of_32;
  std::uint64_t gradient_of_64;
};

template <class Layout>
void check_bits(Layout const& layout, Checksums const& wanted) {
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  int bytes = 0;
  weir::detail::multiply_widest(VectorProbe{&bytes}, 0);
  auto const all = products(1, layout, 70);
  std::span const results = std::span(all).first(70 * (layout.outputs() + layout.inputs()));
  std::span const gradient = std::span(all).subspan(results.size());
  CHECK(weir::checksum(std::as_bytes(results)) == wanted.results);
  CHECK(weir::checksum(std::as_bytes(gradient)) == (bytes == 16   ? wanted.gradient_of_16
                                                    : bytes == 32 ? wanted.gradient_of_32
                                                                  : wanted.gradient_of_64));
}

TEST_CASE(
    "every compiler gives the same bits: y and dx for vectors of any size, the gradient for each of them") {
  check_bits(weir::ProjectiveGeometry(5).layout(),
             {13052156639259459515u, 17036127057590067015u, 10636312003812011898u, 10216394324519916400u});
  weir::ProjectiveGeometry const plane(16);
  check_bits(plane.layout(),
             {11004087034947190002u, 16627895581855221324u, 5245882018300714256u, 3458376406265046726u});
  check_bits(weir::IndexedDesign<std::uint16_t>::of(plane).layout(),
             {7470170192810565121u, 2475212912346388563u, 3162703884136826986u, 13654176717462014073u});
  check_bits(weir::GroupDesign{{.outputs = 300, .inputs = 200, .group = 9}}.layout(),
             {2000424047249443647u, 2205250069940517641u, 18044444790518967409u, 9500138277494399895u});
  weir::GroupDesign const grid{{.outputs = 9, .inputs = 7, .group = 4, .levels = 2}};
  check_bits(weir::TiledDesign(grid, 9 * 32 - 9, 7 * 32 - 30, 32).layout(),
             {12580559977649356569u, 6086286588743841124u, 6086286588743841124u, 6086286588743841124u});
  check_bits(weir::TiledDesign(grid, 9 * 20 - 9, 7 * 20 - 13, 20).layout(),
             {16939711634272679787u, 4723863258278303199u, 8300495132371654261u, 93343411966897681u});
  // Where a group is at least a vector; smaller ones depend on the vectors' size.
  check_bits(weir::GroupDesign{{.outputs = 300, .inputs = 200, .group = 16, .levels = 3}}.layout(),
             {12278520213859697052u, 10403417471059000593u, 17001921172030592311u, 17001921172030592311u});
  check_bits(weir::GroupDesign{{.outputs = 300, .inputs = 200, .group = 32}}.layout(),
             {13966883930211855362u, 12381562286982870152u, 1064047099341607125u, 1064047099341607125u});
}

TEST_CASE("bias and activation are applied to the sum, and a NaN stays one") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 21, .inputs = 16, .group = 4}};
  auto const layout = design.layout();
  std::vector<float> const values(layout.value_count(), 0.0f);
  std::vector<float> bias(21);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i) - 10;
  bias[3] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> const x(16);
  std::vector<float> y(21);
  multiply_masked(exec, layout, weir::view(values), weir::batch_major(x.data(), 1, 16),
                  weir::batch_major(y.data(), 1, 21),
                  {.bias = bias.data(), .activation = weir::Activation::relu});
  exec.synchronize();
  for (std::size_t i = 0; i < bias.size(); ++i) {
    if (i == 3) {
      CHECK(y[i] != y[i]);
    } else {
      CHECK(y[i] == std::max(bias[i], 0.0f));
    }
  }
}

/// What is not finite in one column of x and one row of dy shows where it meets a live entry, and nowhere
/// else.
template <class Layout>
void check_dead_entries(Layout const& layout, float poison) {
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  weir::HostExecutor const exec;
  auto const values = weir_test::random_values<float>(layout, 1);
  for (BatchOrder order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
    CAPTURE((order == BatchOrder::batch_major));
    Batch<float> x(9, layout.inputs(), order, 5), y(9, layout.outputs(), order);
    Batch<float> dy(9, layout.outputs(), order, 7), dx(9, layout.inputs(), order);
    weir_test::fill_batch(x, 2);
    weir_test::fill_batch(dy, 3);
    weir_test::Poison const at{4, layout.inputs() - 1, 5, layout.outputs() - 1};
    x.view()(at.sample_of_x, at.column) = dy.view()(at.sample_of_dy, at.row) = poison;
    std::vector<float> gradient(layout.value_count());
    multiply_masked(exec, layout, weir::view(values), x.constant(), y.view());
    multiply_masked_transposed(exec, layout, weir::view(values), dy.constant(), dx.view());
    masked_weight_gradient(exec, layout, dy.constant(), x.constant(), weir::view(gradient),
                           weir::GradientMode::overwrite);
    exec.synchronize();
    CHECK(shows_where_live(at, layout, y, dx, gradient));
  }
}

TEST_CASE("infinities and what is no number leave no trace where they meet only dead entries") {
  float const infinity = std::numeric_limits<float>::infinity();
  for (float const poison : {infinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (std::uint32_t n : {4u, 8u, 16u, 32u})
      check_dead_entries(weir::GroupDesign{{.outputs = 2 * n + 3, .inputs = 3 * n + 1, .group = n}}.layout(),
                         poison);
    for_each_form([poison](auto const& layout) { check_dead_entries(layout, poison); });
  }
}

TEST_CASE("sums of more than 10,000 terms are within the tolerance, over inputs, outputs and samples") {
  weir::HostExecutor const exec;
  for (std::uint32_t n : {2u, 4u}) {
    std::size_t const many = 12'000 * n;
    weir::GroupDesign const wide{{.outputs = 4, .inputs = many, .group = n}};
    weir::GroupDesign const tall{{.outputs = many, .inputs = 4, .group = n}};
    check_products<float>(exec, wide.layout(), 3, {}, 0, 1, 1e-5);
    check_products<float>(exec, tall.layout(), 3, {}, 0, 2, 1e-5);
    weir::GroupDesign const small{{.outputs = 9, .inputs = 10, .group = n}};
    check_products<float>(exec, small.layout(), 12'000, {}, 0, 3, 1e-5);
  }
  weir::TiledDesign const tiles(weir::GroupDesign{{.outputs = 2, .inputs = 800, .group = 2}}, 64, 25'600, 32);
  check_products<float>(exec, tiles.layout(), 3, {}, 0, 4, 1e-5);
  weir::GroupDesign const gathered{{.outputs = 4, .inputs = 36'000, .group = 3}};
  check_products<float>(exec, gathered.layout(), 1, {}, 0, 5, 1e-5);
}

/// Of all entries, with x and dy the same everywhere.
template <class Layout>
void check_gradient_of_one_sign(Layout const& layout, std::size_t samples) {
  weir::HostExecutor const exec;
  std::vector<float> const x(samples * layout.inputs(), 0.7f), dy(samples * layout.outputs(), 0.3f);
  std::vector<float> gradient(layout.value_count());
  masked_weight_gradient(exec, layout, weir::batch_major(dy.data(), samples, layout.outputs()),
                         weir::batch_major(x.data(), samples, layout.inputs()), weir::view(gradient),
                         weir::GradientMode::overwrite);
  exec.synchronize();
  double const wanted = double{0.7f} * double{0.3f} * static_cast<double>(samples);
  double worst = 0;
  for (float const value : gradient) worst = std::fmax(worst, std::fabs(value / wanted - 1));
  CHECK(worst <= 1e-5);
}

TEST_CASE("gradients of 12,000 samples of one sign are within the tolerance") {
  for (std::uint32_t const n : {2u, 4u, 16u, 64u})
    check_gradient_of_one_sign(weir::GroupDesign{{.outputs = 64, .inputs = 64, .group = n}}.layout(), 12'000);
  for (std::uint32_t const side : {16u, 64u, 128u}) {
    weir::GroupDesign const grid{{.outputs = 2, .inputs = 2, .group = 2}};
    check_gradient_of_one_sign(weir::TiledDesign(grid, 2 * side, 2 * side, side).layout(), 12'000);
  }
  check_gradient_of_one_sign(weir::ProjectiveGeometry(5).layout(), 12'000);
  check_gradient_of_one_sign(weir::GroupDesign{{.outputs = 9, .inputs = 9, .group = 3}}.layout(), 12'000);
}

TEST_CASE("sizes that do not belong together are refused by name") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 8, .inputs = 12, .group = 4}};
  auto const layout = design.layout();
  std::vector<float> const values(layout.value_count()), x(36);
  std::vector<float> y(36);
  auto const multiply = [&](auto const& weights, auto in, auto out) {
    multiply_masked(exec, layout, weir::view(weights), in, out);
  };
  auto const in = weir::batch_major(x.data(), 3, 12);
  CHECK_THROWS_WITH_AS(
      multiply(values, weir::batch_major(x.data(), 3, 11), weir::batch_major(y.data(), 3, 8)),
      "multiply_masked: x has 11 features and the mask 12 inputs, they must be equally many",
      weir::ContractViolation);
  CHECK_THROWS_AS(multiply(values, in, weir::batch_major(y.data(), 2, 8)), weir::ContractViolation);
  CHECK_THROWS_AS(multiply(values, in, weir::batch_major(y.data(), 3, 8, 7)), weir::ContractViolation);
  CHECK_THROWS_AS(multiply(x, in, weir::batch_major(y.data(), 3, 8)), weir::ContractViolation);
  CHECK_THROWS_AS(multiply(values, weir::batch_major(static_cast<float const*>(y.data()), 3, 12),
                           weir::batch_major(y.data() + 8, 3, 8)),
                  weir::ContractViolation);
}

}  // namespace
