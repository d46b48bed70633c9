#include "weir/mask/linear.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/design/group.hpp"

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

}  // namespace
