#include "weir/compress/momentum_correction.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <vector>

#include "compress/sparse_training.hpp"
#include "support/network.hpp"
#include "support/training.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using Vector = std::vector<float>;

auto top(weir::ThresholdSparsifierOptions const& options) {
  return weir::ThresholdSparsifier{options, weir::ExactTopK{}};
}

/// The elements of random gradients are of all sizes, some of them 0.
std::vector<std::vector<double>> gradients(std::size_t steps, std::size_t size) {
  network::Uniform uniform(5);
  std::vector<std::vector<double>> result(steps, std::vector<double>(size));
  for (auto& step : result) {
    for (double& g : step) {
      g = static_cast<double>(uniform());
      if (g > 0.3) g *= 1e-3;
      if (g < -0.4) g = 0.0;
    }
  }
  return result;
}

Vector initial(std::size_t size) {
  network::Uniform uniform(6);
  Vector weights(size);
  for (float& weight : weights) weight = uniform();
  return weights;
}

}

TEST_CASE("slots gather momentum while they wait: the worked example") {
  SparseTraining training(weir::MomentumCorrection{top({.density = 0.25}), {.momentum = 0.5}}, 4);
  Vector const gradient = {4.0f, -3.0f, 1.0f, 0.5f};
  CHECK(training.step(gradient) == Vector{4, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{0, -7.5f, 0, 0});
  CHECK(training.step(gradient) == Vector{10, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{0, -7.5f, 0, 0});
  CHECK(training.momentum() == Vector{4, 0, 1.875f, 0.9375f});
  CHECK(training.residual() == Vector{4, 0, 6.125f, 3.0625f});
}

TEST_CASE("with Nesterov's momentum: the worked example") {
  SparseTraining training(
      weir::MomentumCorrection{top({.density = 0.25}), {.momentum = 0.5, .nesterov = true}}, 4);
  Vector const gradient = {4.0f, -3.0f, 1.0f, 0.5f};
  CHECK(training.step(gradient) == Vector{6, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{0, -9.75f, 0, 0});
  CHECK(training.step(gradient) == Vector{13, 0, 0, 0});
  CHECK(training.step(gradient) == Vector{0, -9.75f, 0, 0});
  CHECK(training.momentum() == Vector{2, 0, 0.46875f * 2, 0.46875f});
  CHECK(training.residual() == Vector{6, 0, 7.0625f, 3.53125f});
}

TEST_CASE("where everything is sent, unmasked, it is momentum SGD, bit for bit over 100 steps") {
  constexpr std::size_t size = 37;
  auto const steps = gradients(100, size);
  for (bool nesterov : {false, true}) {
    CAPTURE(nesterov);
    weir::Sgd const plain{{.learning_rate = 0.05}};
    weir::MomentumCorrectionOptions const options{.momentum = 0.9, .nesterov = nesterov, .masking = false};
    auto const expected = train_on(weir::Sgd{{.learning_rate = 0.05, .momentum = 0.9, .nesterov = nesterov}},
                                   initial(size), steps);
    CHECK(train_on(weir::MomentumCorrection{top({.density = 1.0}), options} | plain, initial(size), steps) ==
          expected);

    // Buckets that are sent whole are not masked whatever the options say.
    weir::MomentumCorrectionOptions const masked{.momentum = 0.9, .nesterov = nesterov};
    CHECK(train_on(weir::MomentumCorrection{top({.density = 0.1, .dense_below = 1000}), masked} | plain,
                   initial(size), steps) == expected);
  }
}

TEST_CASE("masking clears the momentum of exactly the slots that are sent") {
  constexpr std::size_t size = 50;
  SparseTraining masked(weir::MomentumCorrection{top({.density = 0.2}), {.momentum = 0.9}}, size);
  SparseTraining unmasked(
      weir::MomentumCorrection{top({.density = 0.2}), {.momentum = 0.9, .masking = false}}, size);
  Vector momentum(size), unmasked_momentum(size);
  for (auto const& gradient : gradients(20, size)) {
    Vector const g(gradient.begin(), gradient.end());
    Vector const sent = masked.step(g);
    (void)unmasked.step(g);
    std::size_t count = 0;
    for (std::size_t i = 0; i < size; ++i) {
      count += sent[i] != 0.0f ? 1 : 0;
      momentum[i] = sent[i] != 0.0f ? 0.0f : 0.9f * momentum[i] + g[i];
      unmasked_momentum[i] = 0.9f * unmasked_momentum[i] + g[i];
    }
    CHECK(count == 10);
    CHECK(masked.momentum() == momentum);
    CHECK(unmasked.momentum() == unmasked_momentum);
  }
}

TEST_CASE("a gradient that is not finite leaves momentum and residual as they were") {
  SparseTraining training(weir::MomentumCorrection{top({.density = 0.25}), {.momentum = 0.5}}, 4);
  (void)training.step({4.0f, -3.0f, 1.0f, 0.5f});
  Vector const momentum = training.momentum(), residual = training.residual();
  CHECK(training.step({1.0f, std::numeric_limits<float>::infinity(), 1.0f, 1.0f}) == Vector(4));
  CHECK(training.momentum() == momentum);
  CHECK(training.residual() == residual);
  CHECK(training.step({4.0f, -3.0f, 1.0f, 0.5f}) == Vector{0, -7.5f, 0, 0});
}

TEST_CASE("a momentum that is none is refused") {
  for (double momentum : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS((weir::MomentumCorrection{top({.density = 0.1}), {.momentum = momentum}}),
                    weir::ContractViolation);
  }
  CHECK_THROWS_WITH_AS((weir::MomentumCorrection{top({.density = 0.1}), {.momentum = 1.5}}),
                       "MomentumCorrection: momentum is 1.500000, it has to be at least 0 and below 1",
                       weir::ContractViolation);
}
