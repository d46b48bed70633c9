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

namespace {

/// After each window of this mean quality, M and, in hundredths, d1.
struct Walk {
  Stages stages;
  std::vector<int> ratio;
};

Walk walk(StageRule rule, std::vector<double> const& qualities, double density, bool moves = true) {
  StageConstants const constants{.count = StageCount::adaptive, .rule = rule, .moves_first_ratio = moves};
  StageAdaptation adaptation;
  Walk walked;
  for (double const quality : qualities) {
    for (int call = 0; call < 5; ++call) adaptation.push(quality, constants, density);
    walked.stages.push_back(adaptation.stages);
    walked.ratio.push_back(static_cast<int>(100 * adaptation.first_ratio + 0.5));
  }
  return walked;
}

}  // namespace

TEST_CASE("where stages do not help, the first ratio moves, and their number restarts in the middle") {
  // At density 0.01 there are up to 7 stages, so that four moves are the first half of them.
  Walk const few = walk(StageRule::greedy, std::vector<double>(9, 0.1), 0.01);
  CHECK(few.stages == Stages{2, 3, 4, 4, 5, 6, 7, 4, 5});
  CHECK(few.ratio == std::vector<int>{25, 25, 25, 20, 20, 20, 20, 15, 15});
  // One stage cannot become fewer.
  Walk const many = walk(StageRule::greedy, std::vector<double>(6, 9.0), 0.01);
  CHECK(many.stages == Stages{1, 1, 1, 4, 3, 2});
  CHECK(many.ratio == std::vector<int>{25, 25, 25, 20, 20, 20});
  // At 0.1 two moves are half of four stages, at 0.001 five are half of ten.
  CHECK(walk(StageRule::greedy, std::vector<double>(4, 9.0), 0.1).ratio == std::vector<int>{25, 20, 20, 15});
  CHECK(walk(StageRule::greedy, std::vector<double>(4, 9.0), 0.1).stages == Stages{1, 2, 1, 2});
  CHECK(walk(StageRule::greedy, std::vector<double>(6, 9.0), 0.001).ratio ==
        std::vector<int>{25, 25, 25, 25, 20, 20});
  CHECK(walk(StageRule::greedy, std::vector<double>(5, 9.0), 0.001).stages == Stages{1, 1, 1, 1, 5});
}

TEST_CASE("a success begins the count anew, and ends the moving") {
  Walk const found = walk(StageRule::greedy, {0.1, 0.1, 0.1, 1.0, 0.1, 0.1, 0.1, 0.1, 1.1, 0.9}, 0.01);
  CHECK(found.ratio == std::vector<int>{25, 25, 25, 25, 25, 25, 25, 20, 20, 20});
  CHECK(found.stages == Stages{2, 3, 4, 4, 5, 6, 7, 4, 4, 4});
}

TEST_CASE("the first ratio goes down to 0.05, up to 0.5, and down again") {
  std::vector<int> ratios;
  for (int const ratio : walk(StageRule::turning, std::vector<double>(48, 9.0), 0.1).ratio) {
    if (ratios.empty() || ratio != ratios.back()) ratios.push_back(ratio);
  }
  CHECK(ratios == std::vector<int>{25, 20, 15, 10, 5,  10, 15, 20, 25, 30, 35, 40, 45,
                                   50, 45, 40, 35, 30, 25, 20, 15, 10, 5,  10, 15});
  StageConstants const constants{.count = StageCount::adaptive, .moves_first_ratio = true};
  StageAdaptation outside{.first_ratio = 0.9};
  for (int window = 0; window < 4; ++window) outside.update(9.0, constants, 0.01);
  CHECK(outside.first_ratio == 0.5);
}

TEST_CASE("the rules forget what they have learnt with another first ratio") {
  StageConstants const constants{
      .count = StageCount::adaptive, .rule = StageRule::memory, .moves_first_ratio = true};
  StageAdaptation adaptation;
  for (int window = 0; window < 4; ++window) adaptation.update(0.1, constants, 0.01);
  CHECK(adaptation.tried[0] == 0);
  for (double const score : adaptation.score) CHECK(score == 0.0);
  // Rule 2 would turn round: 0.1 is farther from 1 than the last mean with the former ratio.
  CHECK(walk(StageRule::turning, {0.4, 0.4, 0.4, 0.4, 0.1}, 0.01).stages == Stages{2, 3, 4, 4, 5});
  CHECK(walk(StageRule::turning, {0.4, 0.4, 0.4, 0.4, 0.1}, 0.01, false).stages == Stages{2, 3, 4, 5, 4});
}

TEST_CASE("unless it is asked for, the first ratio stays where it is") {
  for (StageRule const rule :
       {StageRule::greedy, StageRule::turning, StageRule::progressive, StageRule::memory})
    CHECK(walk(rule, std::vector<double>(40, 0.1), 0.01, false).ratio == std::vector<int>(40, 25));
}
