#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "cuda/kernels/masked_case.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/mask/linear.hpp"

namespace {

using masked::Batch;
using masked::Case;
using weir::AnyDesign;
using weir::BatchOrder;

struct Draw {
  std::size_t below(std::size_t bound) { return weir::philox({{++count, 0, 0, 1}}, key)[0] % bound; }
  std::uint64_t key;
  std::uint32_t count = 0;
};

template <class Element>
constexpr double tolerance = sizeof(Element) == 8                  ? 1e-13
                             : sizeof(Element) == 4                ? 1e-5
                             : std::is_same_v<Element, weir::half> ? 2e-3
                                                                   : 1e-2;

template <class Element>
void check(AnyDesign const& design, Case const& c) {
  CAPTURE(sizeof(Element));
  CAPTURE(c.seed);
  CAPTURE(c.samples);
  CAPTURE(design.outputs());
  CAPTURE(design.inputs());
  CAPTURE(design.block());
  weir::CudaExecutor const executor;
  double const error = masked::error_of<Element>(executor, design, c);
  CHECK(error >= 0);  // the same bits twice
  CHECK(error <= tolerance<Element>);
}

void check_all_types(AnyDesign const& design, Case const& c) {
  check<float>(design, c);
  check<double>(design, c);
  check<weir::half>(design, c);
  check<weir::bfloat16>(design, c);
}

Case drawn_case(Draw& draw) {
  std::size_t const batches[] = {0, 1, 2, 5, 8, 9, 31, 64, 65, 130, 300};
  return {.samples = batches[draw.below(11)],
          .orders = weir_test::orders_of(draw.below(16)),
          .room = draw.below(12),
          .offset = draw.below(3) == 0 ? draw.below(9) : 0,
          .seed = draw.key};
}

std::uint64_t seeds(std::uint64_t count) {
  return small_cases_only() ? count / 10 + 1 : count;
}

}  // namespace

TEST_CASE("products of random group designs are those of the dense matrix, twice the same") {
  for (std::uint64_t seed = 0; seed < seeds(100); ++seed) {
    Draw draw{seed};
    std::uint32_t const orders[] = {1, 2, 4, 8, 16, 32, 64, 256, 3, 9, 25};
    std::uint32_t const n = orders[draw.below(11)];
    std::uint32_t const levels =
        n < 4 || n % 2 != 0 || draw.below(2) == 0 ? 1 : 1 + static_cast<std::uint32_t>(draw.below(n - 1));
    std::size_t const outputs = n + draw.below(400), inputs = n + draw.below(700);
    weir::GroupDesign const design{
        {.outputs = outputs, .inputs = inputs, .group = n, .levels = levels, .seed = seed}};
    check_all_types(design, drawn_case(draw));
  }
}

TEST_CASE("products of every other mask are those of the dense matrix, twice the same") {
  for (std::uint64_t seed = 0; seed < seeds(40); ++seed) {
    Draw draw{seed + 1000};
    weir::MaskOptions options{.outputs = 20 + draw.below(300), .inputs = 20 + draw.below(500), .seed = seed};
    options.family = "random";
    options.density = 0.02 + 0.01 * static_cast<double>(draw.below(30));
    check_all_types(weir::BIBDMask<AnyDesign>(options).design(), drawn_case(draw));
    std::uint32_t const v = 2 + static_cast<std::uint32_t>(draw.below(700));
    std::vector<std::uint32_t> differences;
    for (std::uint32_t d = 0; d < v; ++d) {
      if (draw.below(9) == 0) differences.push_back(d);
    }
    check_all_types(weir::CyclicDesign(v, differences), drawn_case(draw));
  }
}

TEST_CASE("products of tiles are those of the dense matrix, twice the same") {
  for (std::uint64_t seed = 0; seed < seeds(60); ++seed) {
    Draw draw{seed + 2000};
    std::uint32_t const sides[] = {5, 16, 32, 32, 64, 64, 128, 128};
    std::uint32_t const side = sides[draw.below(8)];
    std::uint32_t const n = 1u << draw.below(3);
    std::size_t const rows = n + draw.below(3), columns = n + draw.below(4);
    AnyDesign const grid =
        draw.below(4) == 0
            ? AnyDesign::of(weir::GroupDesign{{.outputs = rows, .inputs = columns, .group = n}})
            : AnyDesign(weir::GroupDesign{{.outputs = rows, .inputs = columns, .group = n}});
    Case c = drawn_case(draw);
    std::size_t const inputs = columns * side - draw.below(side), outputs = rows * side - draw.below(side);
    // Mostly as tensor cores like it.
    bool const is_liked = side % 8 == 0 && draw.below(3) != 0;
    auto const design = is_liked ? grid.tiled((outputs + 7) / 8 * 8, (inputs + 7) / 8 * 8, side)
                                 : grid.tiled(outputs, inputs, side);
    if (is_liked) {
      c.orders = {};
      c.room = c.room / 8 * 8;
      c.offset = 0;
    }
    check_all_types(design, c);
  }
}

TEST_CASE("convolutions are those of the dense matrix tap by tap, twice the same") {
  for (std::uint64_t seed = 0; seed < seeds(40); ++seed) {
    Draw draw{seed + 3000};
    auto const number = [&](std::size_t low, std::size_t high) {
      return static_cast<std::uint32_t>(low + draw.below(high - low + 1));
    };
    std::uint32_t const kernel_height = number(1, 5), kernel_width = number(1, 5), dilation = number(1, 2);
    weir::ConvolutionShape const shape{number(1, 3), number(9, 14), number(9, 12), kernel_height,
                                       kernel_width, number(1, 3),  number(0, 2),  dilation};
    Case c = drawn_case(draw);
    c.orders = {};
    c.shape = &shape;
    if (draw.below(2) == 0) {
      weir::GroupDesign grid{{.outputs = 2, .inputs = 3, .group = 2}};
      c.room = 8;
      c.offset = 0;
      std::uint32_t const block = 32u << draw.below(3);
      check_all_types(AnyDesign(std::move(grid)).tiled(2 * block, 3 * block - 8, block), c);
    } else {
      std::uint32_t const n = 4u << draw.below(4);
      check_all_types(
          weir::GroupDesign{{.outputs = 32 + draw.below(60), .inputs = 32 + draw.below(50), .group = n}}, c);
    }
  }
}

namespace {

/// A mask of every form that kernels know, most of them cut.
std::vector<AnyDesign> every_form() {
  std::vector<AnyDesign> forms;
  for (std::uint32_t n : {2u, 8u, 32u, 9u})
    forms.push_back(weir::GroupDesign{{.outputs = 3 * n + 50, .inputs = 2 * n + 90, .group = n}});
  forms.push_back(weir::GroupDesign{{.outputs = 100, .inputs = 150, .group = 16, .levels = 3}});
  forms.push_back(weir::CyclicDesign(73, {1, 2, 4, 8, 16, 32, 37, 55, 64}));
  forms.push_back(AnyDesign::of(weir::GroupDesign{{.outputs = 70, .inputs = 120, .group = 8}}));
  for (std::uint32_t side : {20u, 32u, 64u, 128u}) {
    weir::GroupDesign grid{{.outputs = 5, .inputs = 4, .group = 4}};
    forms.push_back(AnyDesign(std::move(grid)).tiled(5 * side - 8, 4 * side - 16, side));
  }
  return forms;
}

}  // namespace

TEST_CASE("the transposed product is that of the explicit transpose bit for bit in double") {
  weir::CudaExecutor const executor;
  for (AnyDesign const& design : every_form()) {
    CAPTURE(design.outputs());
    CAPTURE(design.inputs());
    CAPTURE(design.block());
    for (std::size_t const samples : {1u, 11u, 70u}) {
      CAPTURE(samples);
      auto values = weir_test::random_values<double>(design, 1);
      Batch<double> x(samples, design.inputs(), BatchOrder::batch_major);
      Batch<double> dy(samples, design.outputs(), BatchOrder::batch_major);
      weir_test::fill_batch(dy, 2);
      // Numbers of which no sum is rounded: the order of the terms is the kernels' own.
      for (double& value : values) value = std::round(64 * value);
      for (double& element : dy.elements) element = std::round(64 * element);
      auto const [transpose, transposed_values] = weir_test::explicit_transpose(design, values);
      Case const c{.samples = samples};
      auto const dx = masked::run(executor, design, c, values, x, dy).dx;
      auto const wanted = masked::run(executor, AnyDesign(transpose), c, transposed_values, dy, x).y;
      CHECK(dx.elements == wanted.elements);
    }
  }
}

namespace {

template <class Element>
void check_dead_entries(AnyDesign const& design, float poison) {
  CAPTURE(sizeof(Element));
  CAPTURE(design.outputs());
  CAPTURE(design.inputs());
  CAPTURE(design.block());
  weir::CudaExecutor const executor;
  auto const values = weir_test::random_values<Element>(design, 1);
  for (BatchOrder const order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
    CAPTURE((order == BatchOrder::batch_major));
    for (std::size_t const samples : {6u, 80u}) {
      CAPTURE(samples);
      Case const c{.samples = samples, .orders = {order}, .room = 8};
      Batch<Element> x(samples, design.inputs(), order, c.room), dy(samples, design.outputs(), order, c.room);
      weir_test::fill_batch(x, 2);
      weir_test::fill_batch(dy, 3);
      weir_test::Poison const at{4, design.inputs() - 1, 5, design.outputs() - 1};
      x.view()(at.sample_of_x, at.column) = dy.view()(at.sample_of_dy, at.row) = Element(poison);
      auto const [y, dx, gradient] = masked::run(executor, design, c, values, x, dy);
      CHECK(shows_where_live(at, design, y, dx, gradient));
    }
  }
}

}  // namespace

TEST_CASE("infinities and what is no number leave no trace where they meet only dead entries") {
  float const infinity = std::numeric_limits<float>::infinity();
  for (float const poison : {infinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (AnyDesign const& design : every_form()) {
      check_dead_entries<float>(design, poison);
      check_dead_entries<double>(design, poison);
      check_dead_entries<weir::half>(design, poison);
      check_dead_entries<weir::bfloat16>(design, poison);
    }
  }
}

TEST_CASE("the gradients of a layer are the slopes of its loss") {
  weir::CudaExecutor const executor;
  weir::BIBDLinear<weir::GroupDesign> const layer(
      weir::BIBDMask(weir::GroupDesign{{.outputs = 21, .inputs = 30, .group = 4}}));
  auto const bound = layer.on(executor);
  std::size_t const samples = 7;
  Batch<double> x(samples, 30, BatchOrder::batch_major), y(samples, 21, BatchOrder::batch_major);
  Batch<double> coefficients = y;
  weir_test::fill_batch(x, 1);
  weir_test::fill_batch(coefficients, 2);
  auto values = weir_test::random_values<double>(layer.mask(), 3);
  std::vector<double> const bias(21, 0.1);
  auto const bias_there = masked::on_device(executor, bias);
  auto const loss = [&] {
    masked::DeviceCopy<double> const x_there(executor, x), y_there(executor, y);
    auto const values_there = masked::on_device(executor, values);
    bound.forward<double>(executor, values_there.view(), bias_there.view(), x_there.constant(),
                          y_there.view());
    auto const out = y_there.content();
    double sum = 0;
    for (std::size_t i = 0; i < out.elements.size(); ++i) sum += out.elements[i] * coefficients.elements[i];
    return sum;
  };
  auto const slope = [&](double& number) {
    double const before = number;
    number = before + 1e-6;
    double const above = loss();
    number = before - 1e-6;
    double const below = loss();
    number = before;
    return (above - below) / 2e-6;
  };
  masked::DeviceCopy<double> const x_there(executor, x), y_there(executor, y), dy(executor, coefficients),
      dx(executor, x);
  auto const values_there = masked::on_device(executor, values);
  auto const gradient = masked::on_device(executor, std::vector<double>(values.size()));
  auto const bias_gradient = masked::on_device(executor, bias);
  bound.backward<double>(executor, values_there.view(), x_there.constant(), y_there.constant(), dy.view(),
                         dx.view(), gradient.view(), bias_gradient.view(), weir::GradientMode::overwrite);
  auto const dx_here = dx.content();
  auto const gradient_here = weir::to_host(executor, gradient.view());
  for (std::size_t i = 0; i < x.elements.size(); i += 13)
    CHECK(slope(x.elements[i]) == doctest::Approx(dx_here.elements[i]).epsilon(1e-6));
  for (std::size_t row = 0; row < 21; row += 3) {
    std::size_t const at = layer.mask().value_index(row, row % layer.mask().row_degree(row));
    CHECK(slope(values[at]) == doctest::Approx(gradient_here[at]).epsilon(1e-6));
  }
}

TEST_CASE("a wrong call is refused before anything is enqueued") {
  weir::CudaExecutor const executor;
  weir::GroupDesign const design{{.outputs = 8, .inputs = 8, .group = 4}};
  auto const memory = masked::on_device(executor, std::vector<float>(200));
  auto const batch = [&](std::size_t first, std::size_t samples, std::size_t features) {
    return weir::batch_major<weir::DeviceSpace>(memory.data() + first, samples, features);
  };
  auto const constant = [&](std::size_t first, std::size_t samples, std::size_t features) {
    return weir::batch_major<weir::DeviceSpace>(static_cast<float const*>(memory.data()) + first, samples,
                                                features);
  };
  weir::TensorView<float const, weir::DeviceSpace> const values(memory.data() + 150, 16);
  auto const layout = design.layout();
  CHECK_THROWS_AS(multiply_masked(executor, layout, values, constant(0, 2, 7), batch(50, 2, 8)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(multiply_masked(executor, layout, values, constant(0, 2, 8), batch(50, 3, 8)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(multiply_masked(executor, layout, values, constant(0, 2, 8), batch(9, 2, 8)),
                  weir::ContractViolation);
  CHECK_THROWS_AS(multiply_masked(executor, layout, values.part(0, 15), constant(0, 2, 8), batch(50, 2, 8)),
                  weir::ContractViolation);
}
