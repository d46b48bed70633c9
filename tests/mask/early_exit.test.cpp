#include "weir/mask/early_exit.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace {

using weir::EarlyExit;
using weir::ExitRule;

/// Stage e adds 1 to both features of a sample; the head is as sure as the first one says: 0 is unsure.
struct Network {
  std::vector<std::size_t> batches;

  auto stage() {
    return [this](std::size_t, std::vector<float> features, std::size_t samples) {
      batches.push_back(samples);
      for (float& feature : features) feature += 1.0f;
      return features;
    };
  }
  static auto head() {
    return [](std::size_t, std::vector<float> const& features, std::size_t samples) {
      std::vector<float> logits;
      for (std::size_t i = 0; i < samples; ++i) {
        logits.push_back(features[2 * i]);
        logits.push_back(features[2 * i + 1]);
      }
      return logits;
    };
  }
};

/// Sample i has the difference `sure[i]` between its logits.
std::vector<float> input(std::vector<float> const& sure) {
  std::vector<float> features;
  for (std::size_t i = 0; i < sure.size(); ++i) {
    features.push_back(static_cast<float>(10 * i) + sure[i]);
    features.push_back(static_cast<float>(10 * i));
  }
  return features;
}

TEST_CASE("samples leave where their rule lets them, and come back in order") {
  Network network;
  EarlyExit const exits({{ExitRule::Kind::confidence, 0.9}, {ExitRule::Kind::confidence, 0.6}});
  // Confidence 0.5, 0.95, 0.73, 0.5, 0.95.
  auto const result = exits.run(input({0, 3, 1, 0, 3}), 5, 2, network.stage(), Network::head());
  CHECK(result.taken == std::vector<std::size_t>{2, 0, 1, 2, 0});
  CHECK(result.left == std::vector<std::size_t>{2, 1, 2});
  CHECK(network.batches == std::vector<std::size_t>{5, 3, 2});
  CHECK(result.launches == 3);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(result.logits[2 * i + 1] == static_cast<float>(10 * i + result.taken[i] + 1));
  }
}

TEST_CASE("stages are skipped when no sample is left") {
  Network network;
  EarlyExit const exits({{ExitRule::Kind::confidence, 0.0}, {ExitRule::Kind::confidence, 0.5}});
  auto const result = exits.run(input({0, 0, 1}), 3, 2, network.stage(), Network::head());
  CHECK(result.launches == 1);
  CHECK(network.batches == std::vector<std::size_t>{3});
  CHECK(result.left == std::vector<std::size_t>{3, 0, 0});

  Network idle;
  CHECK(exits.run(std::vector<float>(), 0, 2, idle.stage(), Network::head()).launches == 0);
  CHECK(idle.batches.empty());
}

TEST_CASE("with rules that never let go, all take the last exit") {
  Network network;
  EarlyExit const exits({{ExitRule::Kind::confidence, 1.0}, {ExitRule::Kind::entropy, 0.0}});
  auto const result = exits.run(input({9, 9}), 2, 2, network.stage(), Network::head());
  CHECK(result.left == std::vector<std::size_t>{0, 0, 2});
  CHECK(result.launches == 3);
}

TEST_CASE("the expected cost counts what each sample has passed") {
  std::vector<std::size_t> const left = {2, 1, 1};
  std::vector<double> const macs = {10, 20, 30};
  CHECK(weir::expected_cost(left, macs) == doctest::Approx((2 * 10 + 30 + 60) / 4.0));
}

TEST_CASE("costs that are not one an exit are refused") {
  std::vector<std::size_t> const left = {2, 1, 1};
  std::vector<double> const macs = {10, 20};
  CHECK_THROWS_WITH_AS(weir::expected_cost(left, macs),
                       "expected_cost: 2 costs for 3 exits, one each would be right",
                       weir::ContractViolation);
}

TEST_CASE("no classes are refused") {
  auto const same = [](std::size_t, std::vector<float> features, std::size_t) { return features; };
  CHECK_THROWS_WITH_AS(weir::EarlyExit({}).run(std::vector<float>(2), 2, 0, same, same),
                       "EarlyExit: 0 classes, at least 1 would be right", weir::ContractViolation);
}

TEST_CASE("a head that forgets samples is refused") {
  EarlyExit const exits({});
  auto const stage = [](std::size_t, std::vector<float> features, std::size_t) { return features; };
  auto const head = [](std::size_t, std::vector<float> const&, std::size_t) { return std::vector<float>(3); };
  CHECK_THROWS_AS(exits.run(std::vector<float>(4), 2, 2, stage, head), weir::ContractViolation);
}

}  // namespace
