// A network with two exits: samples that the first head is sure about leave there, and only the others go
// through the second stage. The rule is calibrated so that leaving early costs no accuracy.
#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include "weir/mask/calibrate_exits.hpp"
#include "weir/mask/early_exit.hpp"

namespace {

// Points on a line belong to class 0 or 1 by their sign. The first stage sees them through noise, the second
// removes it: near zero, only the second is right.
struct Point {
  float position, noise;
};
constexpr std::size_t count = 1000;

std::vector<float> points() {
  std::vector<float> features;
  for (std::size_t i = 0; i < count; ++i) {
    features.push_back(static_cast<float>(i * 379 % count) / 250.0f - 1.999f);
    features.push_back(static_cast<float>(i * 617 % 100) / 100.0f - 0.5f);
  }
  return features;
}

std::vector<float> run_stage(std::size_t stage, std::vector<float> features, std::size_t samples) {
  for (std::size_t i = 0; i < samples; ++i) {
    float& position = features[2 * i];
    float const noise = features[2 * i + 1];
    position = stage == 0 ? position + noise : position - noise;
  }
  return features;
}

std::vector<float> run_head(std::size_t, std::vector<float> const& features, std::size_t samples) {
  std::vector<float> logits;
  for (std::size_t i = 0; i < samples; ++i) {
    logits.push_back(features[2 * i] < 0 ? 2 * -features[2 * i] : 0.0f);
    logits.push_back(features[2 * i] < 0 ? 0.0f : 2 * features[2 * i]);
  }
  return logits;
}

}  // namespace

int main() {
  std::vector<std::size_t> labels;
  auto const features = points();
  for (std::size_t i = 0; i < count; ++i) labels.push_back(features[2 * i] < 0 ? 0 : 1);

  // What both exits say of all validation samples, and the rule that follows from it.
  auto const first = run_stage(0, features, count);
  std::vector<std::vector<float>> const logits = {run_head(0, first, count),
                                                  run_head(1, run_stage(1, first, count), count)};
  auto const rules = weir::calibrate_exits<float>(logits, labels, 0.0);

  weir::EarlyExit const network(rules);
  auto const result = network.run(features, count, 2, run_stage, run_head);
  std::size_t right = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t const label = result.logits[2 * i + 1] > result.logits[2 * i] ? 1 : 0;
    right += label == labels[i] ? 1 : 0;
  }
  std::vector<double> const cost = {1e6, 4e6};  // multiply-adds of each stage
  double const spent = weir::expected_cost(result.left, cost);
  std::printf("tau %.3f: %zu of %zu leave at the first exit, %zu right, %.2f of the full cost\n",
              rules[0].tau, result.left[0], count, right, spent / 5e6);
  return right == count && result.left[0] > count / 2 ? 0 : 1;
}
