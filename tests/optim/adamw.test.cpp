#include "weir/optim/adamw.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "support/network.hpp"
#include "support/training.hpp"

namespace {

using Vectors = std::vector<std::vector<double>>;

constexpr std::size_t size = 11;

Vectors gradients(std::size_t steps) {
  network::Uniform uniform(8);
  Vectors result(steps, std::vector<double>(size));
  for (auto& step : result) {
    for (std::size_t i = 0; i < size; ++i)
      step[i] = std::ldexp(static_cast<double>(uniform()), 4 - static_cast<int>(i));
  }
  return result;
}

std::vector<double> initial() {
  network::Uniform uniform(9);
  std::vector<double> weights(size);
  for (double& weight : weights) weight = static_cast<double>(uniform());
  return weights;
}

/// Written from the paper, in double: moments, bias correction by powers of beta, decay apart from the
/// gradient.
std::vector<double> reference(weir::AdamWOptions const& options, Vectors const& gradients,
                              std::vector<double> const& rates) {
  std::vector<double> w = initial(), m(size), v(size);
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    double const t = static_cast<double>(step + 1);
    for (std::size_t i = 0; i < size; ++i) {
      double const g = gradients[step][i];
      m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
      double const m_hat = m[i] / (1 - std::pow(options.beta1, t));
      double const v_hat = v[i] / (1 - std::pow(options.beta2, t));
      w[i] -= rates[step] * (m_hat / (std::sqrt(v_hat) + options.epsilon) + options.weight_decay * w[i]);
    }
  }
  return w;
}

void check(weir::AdamWOptions const& options) {
  auto const steps = gradients(60);
  auto const expected = reference(options, steps, std::vector<double>(steps.size(), options.learning_rate));
  auto const start = initial();
  auto const in_double = train_on(weir::AdamW{options}, start, steps);
  auto const in_float = train_on(weir::AdamW{options}, std::vector<float>(start.begin(), start.end()), steps);
  for (std::size_t i = 0; i < size; ++i) {
    CHECK(in_double[i] == doctest::Approx(expected[i]).epsilon(1e-11));
    CHECK(static_cast<double>(in_float[i]) == doctest::Approx(expected[i]).epsilon(1e-4));
  }
}

}

TEST_CASE("AdamW is what the paper says, in float and in double") {
  check({.learning_rate = 0.01});
  check({.learning_rate = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1});
  check({.learning_rate = 0.01, .weight_decay = 0.0});
}

TEST_CASE("the first step of Adam has the length of the learning rate") {
  auto const found = train_on(weir::AdamW{{.learning_rate = 0.25, .epsilon = 0.0, .weight_decay = 0.0}},
                              std::vector<double>{1, 1, 1, 1}, {{1e-3, -7.0, 1e4, -1e-9}});
  std::vector<double> const expected = {0.75, 1.25, 0.75, 1.25};
  for (std::size_t i = 0; i < 4; ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-9));
}

TEST_CASE("weight decay does not go through the moments") {
  auto const found = train_on(weir::AdamW{{.learning_rate = 0.5, .weight_decay = 0.5}},
                              std::vector<double>{4, -4}, {{0, 0}, {0, 0}});
  CHECK(found == std::vector<double>{2.25, -2.25});
}

TEST_CASE("a learning rate set between steps holds from the next step on") {
  std::vector<double> const rates = {0.01, 0.01, 0.1, 0.001, 0.001};
  auto const steps = gradients(rates.size());
  auto const found =
      train_on(weir::AdamW{{.learning_rate = 0.01}}, initial(), steps, [&](auto& sync, std::size_t step) {
        if (step != 0 && rates[step] != rates[step - 1]) sync.set_learning_rate(rates[step]);
      });
  auto const expected = reference({}, steps, rates);
  for (std::size_t i = 0; i < size; ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-11));
}

TEST_CASE("Constants of Adam that can only be mistakes are refused, by name") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS((weir::AdamW{{.beta1 = 1.0}}),
                       "AdamW: beta1 is 1.000000, it has to be at least 0 and below 1",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS((weir::AdamW{{.epsilon = -1.0}}),
                       "AdamW: epsilon is -1.000000, it has to be finite and at least 0",
                       weir::ContractViolation);
  CHECK_THROWS_AS((weir::AdamW{{.beta2 = 1.0}}), weir::ContractViolation);
  for (double wrong : {-1.0, nan, infinity}) {
    CHECK_THROWS_AS((weir::AdamW{{.learning_rate = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::AdamW{{.beta1 = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::AdamW{{.beta2 = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::AdamW{{.epsilon = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::AdamW{{.weight_decay = wrong}}), weir::ContractViolation);
  }
  CHECK_NOTHROW(
      weir::AdamW{{.learning_rate = 0.0, .beta1 = 0.0, .beta2 = 0.0, .epsilon = 0.0, .weight_decay = 0.0}});
}
