#include "weir/exec/threshold_adaptation.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace {

using weir::StageAdaptation;
using weir::StageConstants;
using weir::StageCount;
using weir::StageRule;

/// M after each window of five calls of this quality.
std::vector<std::uint32_t> trajectory(StageRule rule, std::vector<double> const& qualities) {
  StageConstants const constants{.count = StageCount::adaptive, .rule = rule};
  StageAdaptation adaptation;
  std::vector<std::uint32_t> stages;
  for (double const quality : qualities) {
    for (int call = 0; call < 5; ++call) adaptation.push(quality, constants, 0.01);
    stages.push_back(adaptation.stages);
  }
  return stages;
}

using Stages = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("the number of stages follows the quality as the rules say") {
  std::vector<double> const first = {0.3, 0.5, 0.7, 0.9, 1.1, 1.5, 1.3, 0.4, 0.1, 0.1, 1.0, 2.0};
  CHECK(trajectory(StageRule::greedy, first) == Stages{2, 3, 4, 4, 4, 3, 2, 3, 4, 5, 5, 4});
  CHECK(trajectory(StageRule::turning, first) == Stages{2, 3, 4, 4, 4, 3, 2, 1, 2, 3, 3, 4});
  CHECK(trajectory(StageRule::progressive, first) == Stages{2, 3, 4, 4, 4, 3, 2, 3, 2, 3, 3, 4});
  CHECK(trajectory(StageRule::memory, first) == Stages{2, 3, 4, 4, 4, 5, 6, 7, 6, 5, 5, 4});
  std::vector<double> const second = {3, 3, 2.5, 4, 1.5, 0.6, 0.9, 0.5, 0.7, 0.2, 0.2, 5};
  CHECK(trajectory(StageRule::greedy, second) == Stages{1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6, 5});
  CHECK(trajectory(StageRule::turning, second) == Stages{1, 1, 1, 2, 3, 2, 2, 3, 4, 3, 2, 1});
  CHECK(trajectory(StageRule::progressive, second) == Stages{1, 2, 3, 2, 1, 2, 2, 1, 1, 2, 1, 2});
  CHECK(trajectory(StageRule::memory, second) == Stages{2, 3, 4, 5, 6, 7, 7, 7, 6, 5, 4, 3});
}

TEST_CASE("a window is five calls, and its mean counts") {
  StageConstants const constants{.count = StageCount::adaptive, .rule = StageRule::greedy};
  StageAdaptation adaptation;
  for (double const quality : {0.1, 0.1, 0.1, 0.1}) adaptation.push(quality, constants, 0.01);
  CHECK(adaptation.stages == 1);
  CHECK(adaptation.window_calls == 4);
  adaptation.push(4.6, constants, 0.01);  // mean 1
  CHECK(adaptation.stages == 1);
  CHECK(adaptation.window_calls == 0);
  CHECK(adaptation.last_mean == doctest::Approx(1.0));
}

TEST_CASE("the most stages that are useful are the halvings down to a density") {
  CHECK(weir::most_useful_stages(1.0) == 1);
  CHECK(weir::most_useful_stages(0.5) == 1);
  CHECK(weir::most_useful_stages(0.25) == 2);
  CHECK(weir::most_useful_stages(0.1) == 4);
  CHECK(weir::most_useful_stages(0.01) == 7);
  CHECK(weir::most_useful_stages(0.001) == 10);
  CHECK(weir::most_useful_stages(1e-300) == weir::most_stages);
}

TEST_CASE("where stages do not help, the first ratio moves, and stays within its bounds") {
  StageConstants const constants{
      .count = StageCount::adaptive, .rule = StageRule::greedy, .moves_first_ratio = true};
  StageAdaptation adaptation;
  for (int window = 0; window < 3; ++window) adaptation.update(0.1, constants, 0.01);
  CHECK(adaptation.first_ratio == 0.25);
  adaptation.update(0.1, constants, 0.01);  // the fourth in a row: half of seven, rounded up
  CHECK(adaptation.first_ratio == doctest::Approx(0.3));
  CHECK(adaptation.stages == 4);
  for (int window = 0; window < 100; ++window) adaptation.update(0.1, constants, 0.01);
  CHECK(adaptation.first_ratio == 0.5);
  for (int window = 0; window < 100; ++window) adaptation.update(9.0, constants, 0.01);
  CHECK(adaptation.first_ratio == 0.05);
  double const ratio = adaptation.first_ratio;
  for (int window = 0; window < 100; ++window) adaptation.update(1.0, constants, 0.01);
  CHECK(adaptation.first_ratio == ratio);
}
