#include "weir/mask/linear.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/mask/design/twin_prime.hpp"

namespace {

using weir_test::Batch;
using Layer = weir::BIBDLinear<weir::GroupDesign>;

/// A layer with everything that its passes need; the loss is the sum over outputs of coefficient * y.
struct Problem {
  explicit Problem(weir::LinearOptions options)
      : layer(weir::BIBDMask(weir::GroupDesign{{.outputs = 21, .inputs = 30, .group = 4}}), options),
        values(layer.value_count()),
        bias(layer.bias_count(), 0.1),
        gradient(values.size()),
        bias_gradient(bias.size()) {
    layer.initialise(std::span(values), {.seed = 3});
    weir_test::fill_batch(x, 1);
    weir_test::fill_batch(coefficients, 2);
  }

  double loss() {
    auto const bound = layer.on(exec);
    bound.forward<double>(exec, weir::view(values), weir::view(bias), x.constant(), y.view());
    exec.synchronize();
    double sum = 0;
    for (std::size_t i = 0; i < y.elements.size(); ++i) sum += y.elements[i] * coefficients.elements[i];
    return sum;
  }

  void backward(weir::GradientMode mode) {
    auto const bound = layer.on(exec);
    Batch<double> dy = coefficients;
    bound.backward<double>(exec, weir::view(values), x.constant(), y.constant(), dy.view(), dx.view(),
                           weir::view(gradient), weir::view(bias_gradient), mode);
    exec.synchronize();
  }

  weir::HostExecutor exec;
  Layer layer;
  std::vector<double> values, bias, gradient, bias_gradient;
  Batch<double> x{7, 30, weir::BatchOrder::batch_major}, y{7, 21, weir::BatchOrder::batch_major};
  Batch<double> coefficients{7, 21, weir::BatchOrder::batch_major}, dx{7, 30, weir::BatchOrder::batch_major};
};

double slope(Problem& problem, double& number) {
  double const step = 1e-6, before = number;
  number = before + step;
  double const above = problem.loss();
  number = before - step;
  double const below = problem.loss();
  number = before;
  return (above - below) / (2 * step);
}

TEST_CASE("gradients of a layer are the slopes of its loss") {
  for (auto activation : {weir::Activation::identity, weir::Activation::relu}) {
    Problem problem({.activation = activation});
    problem.loss();
    problem.backward(weir::GradientMode::overwrite);
    for (std::size_t i = 0; i < problem.x.elements.size(); i += 13) {
      CHECK(slope(problem, problem.x.elements[i]) == doctest::Approx(problem.dx.elements[i]).epsilon(1e-6));
    }
    for (std::size_t i = 0; i < problem.bias.size(); i += 2) {
      CHECK(slope(problem, problem.bias[i]) == doctest::Approx(problem.bias_gradient[i]).epsilon(1e-6));
    }
    auto const& design = problem.layer.mask();
    for (std::size_t row = 0; row < design.outputs(); row += 3) {
      std::size_t const at = design.value_index(row, row % design.row_degree(row));
      CHECK(slope(problem, problem.values[at]) == doctest::Approx(problem.gradient[at]).epsilon(1e-6));
    }
  }
}

/// A design as users may write one: each output sees two inputs, side by side.
struct Pairs {
  std::size_t inputs() const { return 10; }
  std::size_t outputs() const { return 5; }
  std::size_t nnz() const { return 10; }
  std::size_t value_count() const { return 10; }
  std::size_t row_degree(std::size_t) const { return 2; }
  std::size_t column_degree(std::size_t) const { return 1; }
  std::size_t column(std::size_t row, std::size_t slot) const { return 2 * row + slot; }
  std::size_t row(std::size_t column, std::size_t) const { return column / 2; }
  std::size_t value_index(std::size_t row, std::size_t slot) const { return 2 * row + slot; }
  std::size_t value_index_transposed(std::size_t column, std::size_t) const { return column; }
  bool contains(std::size_t row, std::size_t column) const { return column / 2 == row; }
};

/// What a layer of a design gives, with its gradients by row and column.
template <class D>
std::vector<double> passes(weir::BIBDLinear<D> const& layer) {
  weir::HostExecutor const exec;
  auto const& mask = layer.mask();
  std::vector<double> values(layer.value_count()), gradient(values.size());
  auto const order = weir::BatchOrder::batch_major;
  Batch<double> x(5, mask.inputs(), order), y(5, mask.outputs(), order), dy = y, dx = x;
  weir_test::fill_batch(x, 1);
  weir_test::fill_batch(dy, 2);
  layer.initialise(std::span(values), {.seed = 3});
  auto const bound = layer.on(exec);
  bound.template forward<double>(exec, weir::view(values), {}, x.constant(), y.view());
  bound.template backward<double>(exec, weir::view(values), x.constant(), y.constant(), dy.view(), dx.view(),
                                  weir::view(gradient), {}, weir::GradientMode::overwrite);
  exec.synchronize();
  std::vector<double> all = y.elements;
  all.insert(all.end(), dx.elements.begin(), dx.elements.end());
  std::size_t const first = all.size();
  all.resize(first + mask.outputs() * mask.inputs());
  for (std::size_t row = 0; row < mask.outputs(); ++row) {
    for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot)
      all[first + row * mask.inputs() + mask.column(row, slot)] = gradient[mask.value_index(row, slot)];
  }
  return all;
}

template <class D>
void check_against_tables(D const& design) {
  CAPTURE(design.inputs());
  auto const formula = passes(weir::BIBDLinear<D>(weir::BIBDMask<D>(design), {.has_bias = false}));
  auto const tables = passes(
      weir::BIBDLinear<>(weir::BIBDMask<weir::AnyDesign>(weir::AnyDesign::of(design)), {.has_bias = false}));
  REQUIRE(formula.size() == tables.size());
  double worst = 0;
  for (std::size_t i = 0; i < tables.size(); ++i) worst = std::fmax(worst, std::abs(formula[i] - tables[i]));
  CHECK(worst < 1e-12);
}

TEST_CASE(
    "a design that has a formula is a layer without tables, which gives what tables of its entries do") {
  check_against_tables(weir::AffineGeometry(4));
  check_against_tables(weir::AffineGeometry(3, 3));
  check_against_tables(weir::SteinerTripleSystem(15));  // Bose
  check_against_tables(weir::SteinerTripleSystem(13));  // Skolem
  check_against_tables(weir::PaleyDesign(27));
  check_against_tables(weir::TwinPrimeDesign(7));
  check_against_tables(Pairs());
}

TEST_CASE("a second micro-batch adds to the gradients") {
  Problem problem({});
  problem.loss();
  problem.backward(weir::GradientMode::overwrite);
  auto const once = problem.gradient;
  auto const bias_once = problem.bias_gradient;
  problem.backward(weir::GradientMode::accumulate);
  for (std::size_t i = 0; i < once.size(); ++i) CHECK(problem.gradient[i] == doctest::Approx(2 * once[i]));
  for (std::size_t i = 0; i < bias_once.size(); ++i)
    CHECK(problem.bias_gradient[i] == doctest::Approx(2 * bias_once[i]));
}

TEST_CASE("an empty batch gives an empty product and a gradient of zero") {
  Problem problem({.has_bias = false});
  auto const bound = problem.layer.on(problem.exec);
  Batch<double> x(0, 30, weir::BatchOrder::batch_major), y(0, 21, weir::BatchOrder::batch_major), dy = y,
                                                                                                  dx = x;
  problem.gradient.assign(problem.gradient.size(), 5.0);
  bound.forward<double>(problem.exec, weir::view(problem.values), {}, x.constant(), y.view());
  bound.backward<double>(problem.exec, weir::view(problem.values), x.constant(), y.constant(), dy.view(),
                         dx.view(), weir::view(problem.gradient), {}, weir::GradientMode::overwrite);
  problem.exec.synchronize();
  for (double value : problem.gradient) CHECK(value == 0.0);
}

TEST_CASE("a bias of another size is refused") {
  Problem problem({});
  problem.bias.pop_back();
  CHECK_THROWS_WITH_AS(problem.loss(), "BIBDLinear::forward: the bias has 20 elements, 21 would be right",
                       weir::ContractViolation);
}

TEST_CASE("a backward pass that is refused has changed nothing") {
  Problem problem({.activation = weir::Activation::relu});
  problem.loss();
  auto const bound = problem.layer.on(problem.exec);
  auto const check_refused = [&](std::size_t gradients, std::size_t features) {
    Batch<double> dy = problem.coefficients, dx(7, features, weir::BatchOrder::batch_major);
    std::vector<double> gradient(gradients), bias_gradient(21, 5.0);
    CHECK_THROWS_AS(bound.backward<double>(problem.exec, weir::view(problem.values), problem.x.constant(),
                                           problem.y.constant(), dy.view(), dx.view(), weir::view(gradient),
                                           weir::view(bias_gradient), weir::GradientMode::accumulate),
                    weir::ContractViolation);
    problem.exec.synchronize();
    CHECK(dy.elements == problem.coefficients.elements);
    for (double const value : gradient) CHECK(value == 0.0);
    for (double const value : bias_gradient) CHECK(value == 5.0);
  };
  check_refused(problem.gradient.size() - 1, 30);
  check_refused(problem.gradient.size(), 29);
}

}  // namespace
