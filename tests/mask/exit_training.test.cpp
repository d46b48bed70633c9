#include "weir/mask/exit_training.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "weir/mask/early_exit.hpp"

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t exits = 3, width = 2, classes = 3, samples = 4;

/// Stage e makes features f of h by f_j = sum of a_e[j][i] h_i^2, head e logits by b_e; gradients are added.
struct Network {
  Network() : stages(exits * width * width), heads(exits * classes * width) {
    for (std::size_t i = 0; i < stages.size(); ++i) stages[i] = 0.1 * static_cast<double>(i * 7 % 11) - 0.4;
    for (std::size_t i = 0; i < heads.size(); ++i) heads[i] = 0.2 * static_cast<double>(i * 5 % 9) - 0.7;
    stage_gradients.resize(stages.size());
    head_gradients.resize(heads.size());
  }

  Numbers stage(std::size_t e, Numbers const& in, std::size_t count) {
    Numbers out(count * width);
    for (std::size_t s = 0; s < count; ++s) {
      for (std::size_t j = 0; j < width; ++j) {
        for (std::size_t i = 0; i < width; ++i)
          out[s * width + j] += stages[(e * width + j) * width + i] * in[s * width + i] * in[s * width + i];
      }
    }
    return out;
  }
  Numbers head(std::size_t e, Numbers const& in, std::size_t count) {
    Numbers out(count * classes);
    for (std::size_t s = 0; s < count; ++s) {
      for (std::size_t k = 0; k < classes; ++k) {
        for (std::size_t i = 0; i < width; ++i)
          out[s * classes + k] += heads[(e * classes + k) * width + i] * in[s * width + i];
      }
    }
    return out;
  }
  Numbers head_gradient(std::size_t e, Numbers const& in, Numbers const& gradient, std::size_t count) {
    Numbers to_input(count * width);
    for (std::size_t s = 0; s < count; ++s) {
      for (std::size_t k = 0; k < classes; ++k) {
        for (std::size_t i = 0; i < width; ++i) {
          std::size_t const at = (e * classes + k) * width + i;
          head_gradients[at] += gradient[s * classes + k] * in[s * width + i];
          to_input[s * width + i] += gradient[s * classes + k] * heads[at];
        }
      }
    }
    return to_input;
  }
  Numbers stage_gradient(std::size_t e, Numbers const& in, Numbers const& out, Numbers const& gradient,
                         std::size_t count) {
    REQUIRE(out == stage(e, in, count));
    ++stages_asked;
    Numbers to_input(count * width);
    for (std::size_t s = 0; s < count; ++s) {
      for (std::size_t j = 0; j < width; ++j) {
        for (std::size_t i = 0; i < width; ++i) {
          std::size_t const at = (e * width + j) * width + i;
          double const x = in[s * width + i];
          stage_gradients[at] += gradient[s * width + j] * x * x;
          to_input[s * width + i] += gradient[s * width + j] * stages[at] * 2 * x;
        }
      }
    }
    return to_input;
  }

  Numbers stages, heads, stage_gradients, head_gradients;
  std::size_t stages_asked = 0;
};

Numbers const input = {0.5, -1.0, 1.2, 0.3, -0.7, 0.9, 0.2, 1.1};
std::vector<std::size_t> const labels = {0, 2, 1, 1};

double total(weir::ExitTraining const& training, Network network, std::span<double const> factors = {}) {
  return training.run(network, input, labels, factors).total;
}

void check_slopes(weir::ExitTraining const& training, std::span<double const> factors) {
  Network network;
  training.run(network, input, labels, factors);
  auto const check = [&](Numbers Network::*parameters, Numbers const& gradients) {
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      double const step = 1e-6;
      Network above, below;
      (above.*parameters)[i] += step;
      (below.*parameters)[i] -= step;
      CHECK(gradients[i] ==
            doctest::Approx((total(training, above, factors) - total(training, below, factors)) / (2 * step))
                .epsilon(1e-6));
    }
  };
  check(&Network::stages, network.stage_gradients);
  check(&Network::heads, network.head_gradients);
}

}  // namespace

TEST_CASE("ExitTraining: joint gradients are the slopes of the weighted sum of the exits' losses") {
  check_slopes(weir::ExitTraining({0.3, 0.5, 1.0}), {});
  Numbers const factors = {0.4, 0.1, 0.2, 0.3};
  check_slopes(weir::ExitTraining({1.0, 0.0, 2.0}), factors);
}

TEST_CASE("ExitTraining: the losses are those that each exit has on all samples") {
  Network network;
  auto const losses = weir::ExitTraining({0.25, 0.5, 1.0}).run(network, input, labels);
  CHECK(losses.total == doctest::Approx(0.25 * losses.each[0] + 0.5 * losses.each[1] + losses.each[2]));
  Numbers features = input;
  for (std::size_t e = 0; e < exits; ++e) {
    features = network.stage(e, features, samples);
    Numbers const logits = network.head(e, features, samples);
    Numbers unused(logits.size());
    CHECK(losses.each[e] == weir::cross_entropy(std::span<double const>(logits),
                                                std::span<std::size_t const>(labels), std::span(unused)));
  }
}

TEST_CASE("ExitTraining: with a frozen trunk the losses reach the heads only, and these as before") {
  Network joint, frozen;
  std::vector<double> const weights = {0.3, 0.5, 1.0};
  auto const with_trunk = weir::ExitTraining(weights).run(joint, input, labels);
  auto const without = weir::ExitTraining(weights, weir::ExitMode::frozen_trunk).run(frozen, input, labels);
  CHECK(joint.stages_asked == exits);
  CHECK(frozen.stages_asked == 0);
  CHECK(frozen.stage_gradients == Numbers(frozen.stages.size()));
  CHECK(frozen.head_gradients == joint.head_gradients);
  CHECK(without.each == with_trunk.each);
}

TEST_CASE(
    "ExitTraining: training lowers what EarlyExit then gives, and a batch without samples does nothing") {
  Network network;
  weir::ExitTraining const training({0.5, 0.5, 1.0});
  double const before = total(training, network);
  for (int step = 0; step < 200; ++step) {
    network.stage_gradients.assign(network.stages.size(), 0);
    network.head_gradients.assign(network.heads.size(), 0);
    training.run(network, input, labels);
    for (std::size_t i = 0; i < network.stages.size(); ++i)
      network.stages[i] -= 0.1 * network.stage_gradients[i];
    for (std::size_t i = 0; i < network.heads.size(); ++i)
      network.heads[i] -= 0.1 * network.head_gradients[i];
  }
  CHECK(total(training, network) < 0.75 * before);
  auto const result = weir::EarlyExit({{}, {}}).run(
      input, samples, classes, [&](auto e, Numbers in, auto count) { return network.stage(e, in, count); },
      [&](auto e, Numbers const& in, auto count) { return network.head(e, in, count); });
  std::size_t right = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    right +=
        weir::summarise_softmax(std::span<double const>(result.logits).subspan(i * classes, classes)).label ==
                labels[i]
            ? 1
            : 0;
  }
  CHECK(right >= 3);

  Network idle;
  CHECK(training.run(idle, Numbers{}, {}).total == 0);
  CHECK(idle.stages_asked == 0);
}

TEST_CASE("ExitTraining: no exits, negative weights and gradients of another size are refused") {
  CHECK_THROWS_AS(weir::ExitTraining({}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::ExitTraining({1.0, -0.5}), weir::ContractViolation);
  struct Forgetful : Network {
    Numbers head_gradient(std::size_t, Numbers const&, Numbers const&, std::size_t) { return {}; }
  } network;
  CHECK_THROWS_AS(weir::ExitTraining({1.0, 1.0, 1.0}).run(network, input, labels), weir::ContractViolation);
}
