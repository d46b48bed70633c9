#include "weir/mask/calibrate_exits.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "weir/core/random.hpp"

namespace {

/// Logits of two classes with the given confidence in class 0, or in class 1 where it is negative.
std::vector<float> logits(std::vector<double> const& confidence) {
  std::vector<float> all;
  for (double c : confidence) {
    double const p = std::abs(c);
    auto const gap = static_cast<float>(std::log(p / (1 - p)));
    all.push_back(c > 0 ? gap : 0.0f);
    all.push_back(c > 0 ? 0.0f : gap);
  }
  return all;
}

TEST_CASE("an exit is as open as the accuracy of its leavers allows") {
  std::vector<std::size_t> const labels(6, 0);
  // Right, right, wrong, right, wrong, right at the first exit; all right at the last.
  std::vector<std::vector<float>> const exits = {logits({0.99, 0.95, -0.9, 0.8, -0.7, 0.6}),
                                                 logits({0.9, 0.9, 0.9, 0.9, 0.9, 0.9})};
  auto const tau = [&](double epsilon) {
    return weir::calibrate_exits<float>(exits, labels, epsilon).at(0).tau;
  };
  CHECK(tau(0.0) == doctest::Approx(0.9).epsilon(1e-6));   // the first two
  CHECK(tau(0.25) == doctest::Approx(0.7).epsilon(1e-6));  // one of four is lost
  CHECK(tau(1.0 / 3) == 0.0);                              // two of six
}

TEST_CASE("what the final exit gets wrong too is not lost, and who has left is not asked again") {
  std::vector<std::size_t> const labels(3, 0);
  std::vector<std::vector<float>> const exits = {logits({-0.99, 0.8, -0.6}), logits({0.6, 0.6, -0.9}),
                                                 logits({-0.9, 0.9, 0.9})};
  auto const rules = weir::calibrate_exits<float>(exits, labels, 0.0);
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].tau == doctest::Approx(0.6).epsilon(1e-6));  // the last sample would be lost
  CHECK(rules[1].tau == 1.0);                                 // only that one is left, and wrong there
}

TEST_CASE("of all thresholds that make a difference it is the smallest that is allowed") {
  constexpr std::size_t samples = 12;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    weir::RandomStream const random{.seed = seed};
    std::vector<std::size_t> const labels(samples, 0);
    std::vector<std::vector<double>> confidence(2);
    for (std::size_t i = 0; i < 2 * samples; ++i) {
      auto const word = random.word(i);
      double const sure = 0.55 + 0.05 * static_cast<double>(word % 9);  // some of them equal
      confidence[i / samples].push_back(word / 16 % 4 == 0 ? -sure : sure);
    }
    double const epsilon = 0.1 * static_cast<double>(seed % 5);
    std::vector<std::vector<float>> const exits = {logits(confidence[0]), logits(confidence[1])};
    double const tau = weir::calibrate_exits<float>(exits, labels, epsilon).at(0).tau;
    // Those more sure than a threshold leave; what they lose is against the last exit.
    auto const is_allowed = [&](double threshold) {
      double leavers = 0, lost = 0;
      for (std::size_t i = 0; i < samples; ++i) {
        if (std::abs(confidence[0][i]) <= threshold + 1e-6) continue;
        ++leavers;
        lost += (confidence[1][i] > 0 ? 1.0 : 0.0) - (confidence[0][i] > 0 ? 1.0 : 0.0);
      }
      return leavers > 0 && lost <= epsilon * leavers + 1e-9;
    };
    bool const is_open = tau < 1.0;
    CHECK(is_open == is_allowed(tau));
    for (double threshold = 0.0; threshold < tau - 1e-6;
         threshold = threshold == 0.0 ? 0.55 : threshold + 0.05)
      CHECK_FALSE(is_allowed(threshold));
  }
}

TEST_CASE("an exit that is always wrong is closed") {
  std::vector<std::size_t> const labels(2, 0);
  std::vector<std::vector<float>> const exits = {logits({-0.9, -0.8}), logits({0.9, 0.9})};
  CHECK(weir::calibrate_exits<float>(exits, labels, 0.1).at(0).tau == 1.0);
}

TEST_CASE("an exit that loses just epsilon is open") {
  std::vector<std::size_t> const labels(100, 0);
  for (std::size_t const wrong : {7u, 29u, 57u, 58u}) {
    std::vector<double> here(100, 0.75);
    for (std::size_t i = 0; i < wrong; ++i) here[i] = -0.75;
    std::vector<std::vector<float>> const exits = {logits(here), logits(std::vector<double>(100, 0.9))};
    double const epsilon = static_cast<double>(wrong) / 100;
    CHECK(weir::calibrate_exits<float>(exits, labels, epsilon).at(0).tau == 0.0);
    CHECK(weir::calibrate_exits<float>(exits, labels, epsilon - 0.001).at(0).tau == 1.0);
  }
}

TEST_CASE("samples with NaN stay, and do not keep the others") {
  std::vector<std::size_t> const labels(4, 0);
  std::vector<std::vector<float>> exits = {logits({0.9, 0.8, 0.9, 0.7}), logits({0.9, 0.9, 0.9, 0.9})};
  exits[0][2] = std::numeric_limits<float>::quiet_NaN();
  auto const rule = weir::calibrate_exits<float>(exits, labels, 0.0).at(0);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(rule.leaves(weir::summarise_softmax(std::span<float const>(exits[0].data() + 2 * i, 2))) ==
          (i != 1));
  }
}

TEST_CASE("labels that are no class, and an epsilon that is no loss, are refused") {
  std::vector<std::size_t> const labels = {0, 2};
  std::vector<std::vector<float>> const exits = {logits({0.9, 0.8}), logits({0.9, 0.8})};
  CHECK_THROWS_WITH_AS(weir::calibrate_exits<float>(exits, labels, 0.1),
                       "calibrate_exits: label 2 of sample 1, there are 2 classes", weir::ContractViolation);
  std::vector<std::size_t> const right = {0, 1};
  for (double const epsilon : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(weir::calibrate_exits<float>(exits, right, epsilon), weir::ContractViolation);
  }
}

TEST_CASE("logits of other sizes are refused") {
  std::vector<std::size_t> const labels(2, 0);
  std::vector<std::vector<float>> const exits = {logits({0.9, 0.8}), logits({0.9})};
  CHECK_THROWS_AS(weir::calibrate_exits<float>(exits, labels, 0.1), weir::ContractViolation);
}

}  // namespace
