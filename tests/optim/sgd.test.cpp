#include "weir/optim/sgd.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <vector>

#include "support/network.hpp"
#include "support/training.hpp"

namespace {

using Vectors = std::vector<std::vector<double>>;

constexpr std::size_t size = 11;

Vectors gradients(std::size_t steps) {
  network::Uniform uniform(5);
  Vectors result(steps, std::vector<double>(size));
  for (auto& step : result) {
    for (double& g : step) g = static_cast<double>(uniform());
  }
  return result;
}

template <class Real>
std::vector<Real> initial() {
  network::Uniform uniform(6);
  std::vector<Real> weights(size);
  for (Real& weight : weights) weight = static_cast<Real>(uniform());
  return weights;
}

/// Written from the definition, in double.
std::vector<double> reference(weir::SgdOptions const& options, std::vector<double> w,
                              Vectors const& gradients, std::vector<double> const& rates) {
  std::vector<double> v(w.size());
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      double g = gradients[step][i] + options.weight_decay * w[i];
      if (options.momentum != 0.0) {
        v[i] = options.momentum * v[i] + g;
        g = options.nesterov ? g + options.momentum * v[i] : v[i];
      }
      w[i] -= rates[step] * g;
    }
  }
  return w;
}

template <class Real>
void check(weir::SgdOptions const& options, double tolerance) {
  auto const steps = gradients(40);
  auto const found = train_on(weir::Sgd{options}, initial<Real>(), steps);
  auto const start = initial<Real>();
  auto const expected = reference(options, std::vector<double>(start.begin(), start.end()), steps,
                                  std::vector<double>(steps.size(), options.learning_rate));
  for (std::size_t i = 0; i < size; ++i)
    CHECK(static_cast<double>(found[i]) == doctest::Approx(expected[i]).epsilon(tolerance));
}

}

TEST_CASE("SGD, with momentum, Nesterov's and weight decay, is what the definition says") {
  for (double momentum : {0.0, 0.9}) {
    for (bool nesterov : {false, true}) {
      for (double weight_decay : {0.0, 0.01}) {
        if (nesterov && momentum == 0.0) continue;
        weir::SgdOptions const options{
            .learning_rate = 0.05, .momentum = momentum, .nesterov = nesterov, .weight_decay = weight_decay};
        CAPTURE(momentum);
        CAPTURE(nesterov);
        CAPTURE(weight_decay);
        check<float>(options, 2e-5);
        check<double>(options, 1e-13);
      }
    }
  }
}

TEST_CASE("a learning rate set between steps holds from the next step on, also the first") {
  std::vector<double> const rates = {0.5, 0.5, 0.125, 0.125, 2.0, 0.0};
  auto const steps = gradients(rates.size());
  weir::SgdOptions const options{.learning_rate = 1000.0, .momentum = 0.5};
  auto const found =
      train_on(weir::Sgd{options}, initial<double>(), steps, [&](auto& sync, std::size_t step) {
        if (step == 0 || rates[step] != rates[step - 1]) sync.set_learning_rate(rates[step]);
      });
  auto const expected = reference(options, initial<double>(), steps, rates);
  for (std::size_t i = 0; i < size; ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-13));
}

TEST_CASE("Nesterov's momentum without momentum is refused") {
  CHECK_THROWS_WITH_AS((weir::Sgd{{.nesterov = true}}), "Sgd: nesterov needs a momentum above 0",
                       weir::ContractViolation);
}

TEST_CASE("Constants of SGD that can only be mistakes are refused, by name") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS((weir::Sgd{{.learning_rate = -1.0}}),
                       "Sgd: learning_rate is -1.000000, it has to be finite and at least 0",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS((weir::Sgd{{.momentum = 1.5}}),
                       "Sgd: momentum is 1.500000, it has to be at least 0 and below 1",
                       weir::ContractViolation);
  for (double wrong : {-1.0, nan, infinity}) {
    CHECK_THROWS_AS((weir::Sgd{{.learning_rate = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::Sgd{{.momentum = wrong}}), weir::ContractViolation);
    CHECK_THROWS_AS((weir::Sgd{{.weight_decay = wrong}}), weir::ContractViolation);
  }
  CHECK_THROWS_AS((weir::Sgd{{.momentum = 1.0}}), weir::ContractViolation);
  CHECK_NOTHROW(weir::Sgd{{.learning_rate = 0.0, .momentum = 0.999, .weight_decay = 2.0}});
}
