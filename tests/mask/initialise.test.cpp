#include "weir/mask/initialise.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "weir/mask/design/group.hpp"

namespace {

/// The variance of y = x W^T over all outputs, by that of a dense layer with Kaiming's deviation, which is
/// twice the mean square of x.
double relative_variance(weir::GroupDesign const& design, std::size_t samples) {
  std::vector<float> values(design.value_count());
  initialise(design, std::span(values));
  double sum = 0, squares = 0, inputs = 0;
  std::vector<double> x(design.inputs());
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t f = 0; f < x.size(); ++f) {
      x[f] =
          (weir::philox({{static_cast<std::uint32_t>(f), static_cast<std::uint32_t>(i), 0, 0}}, 5)[0] + 0.5) *
          0x1p-32;
      inputs += x[f] * x[f];
    }
    for (std::size_t row = 0; row < design.outputs(); ++row) {
      double y = 0;
      for (std::size_t slot = 0; slot < design.row_degree(row); ++slot) {
        y += double{values[design.value_index(row, slot)]} * x[design.column(row, slot)];
      }
      sum += y;
      squares += y * y;
    }
  }
  double const count = static_cast<double>(samples * design.outputs());
  double const mean = sum / count;
  double const mean_square = inputs / static_cast<double>(samples * design.inputs());
  return (squares / count - mean * mean) / (2 * mean_square);
}

TEST_CASE("outputs vary as much as those of a dense layer") {
  for (std::size_t n : {4u, 16u}) {
    CHECK(relative_variance(
              weir::GroupDesign({.outputs = 512, .inputs = 784, .group = static_cast<std::uint32_t>(n)}),
              16) == doctest::Approx(1.0).epsilon(0.1));
  }
  CHECK(relative_variance(weir::GroupDesign({.outputs = 4096, .inputs = 4096, .group = 64}), 2) ==
        doctest::Approx(1.0).epsilon(0.1));
}

TEST_CASE("padding is zero, and a row that is cut has larger weights") {
  weir::GroupDesign const design({.outputs = 4096, .inputs = 1030, .group = 8});
  std::vector<double> values(2 * design.value_count(), 7.0);
  initialise(design, std::span(values), {.gain = 3.0, .seed = 4}, 2);
  std::vector<bool> is_live(values.size());
  double short_rows = 0, short_count = 0;
  std::size_t live_zeros = 0, dead_values = 0;
  for (std::size_t row = 0; row < design.outputs(); ++row) {
    std::size_t const degree = design.row_degree(row);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      for (std::size_t tap : {0u, 1u}) {
        std::size_t const at = tap * design.value_count() + design.value_index(row, slot);
        is_live[at] = true;
        live_zeros += values[at] == 0.0 ? 1 : 0;
        if (degree == 128) {
          short_rows += values[at] * values[at];
          ++short_count;
        }
      }
    }
  }
  for (std::size_t at = 0; at < values.size(); ++at) {
    dead_values += !is_live[at] && values[at] != 0.0 ? 1 : 0;
  }
  CHECK(live_zeros == 0);
  CHECK(dead_values == 0);
  REQUIRE(short_count > 1000);
  CHECK(short_rows / short_count == doctest::Approx(9.0 / (128 * 2)).epsilon(0.02));
}

TEST_CASE("the fan of inputs counts rows") {
  weir::GroupDesign const design({.outputs = 400, .inputs = 40, .group = 4});
  std::vector<float> values(design.value_count());
  initialise(design, std::span(values), {.gain = 1.0, .fan = weir::Fan::out});
  double squares = 0;
  for (float value : values) squares += double{value} * value;
  CHECK(squares / static_cast<double>(values.size()) == doctest::Approx(1.0 / 100).epsilon(0.1));
}

TEST_CASE("another number of values is refused") {
  weir::GroupDesign const design({.outputs = 8, .inputs = 8, .group = 4});
  std::vector<float> values(15);
  CHECK_THROWS_AS(initialise(design, std::span(values)), weir::ContractViolation);
}

}  // namespace
