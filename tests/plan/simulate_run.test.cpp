#include "weir/plan/simulate_run.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>

#include "quick_start.hpp"
#include "weir/plan/goodput.hpp"

using weir::Plan;
using weir::simulate_run;
using weir::solve;
using weir::TimeModel;

namespace {

std::optional<Plan> no_change(double, Plan const&) {
  return {};
}

}  // namespace

TEST_CASE("a run with one plan is its steps") {
  TimeModel const model(quick_start());
  Plan const plan = solve(model, {.global_batch = 512, .unit = 4});
  auto const noise = [](double) { return 1e18; };  // every sample counts
  auto const run =
      simulate_run(model, plan, {.samples = 51'200'000, .reference_batch = 512}, noise, no_change);
  CHECK(run.steps == 100'000);
  CHECK(run.samples == 51'200'000);
  CHECK(run.segments.size() == 1);
  CHECK(run.seconds == doctest::Approx(100'000 * 0.3003287).epsilon(1e-5));
}

TEST_CASE("a larger batch needs more samples where there is little noise") {
  TimeModel const model(quick_start());
  Plan const plan = solve(model, {.global_batch = 1024, .unit = 4});
  auto const noise = [](double) { return 256.0; };
  auto const run = simulate_run(model, plan, {.samples = 256'000, .reference_batch = 256}, noise, no_change);
  // Its efficiency is (256 + 256) / (256 + 1024).
  CHECK(run.samples == doctest::Approx(256'000 * 2.5).epsilon(1e-2));
  CHECK(run.steps == 625);
}

TEST_CASE("a batch that follows the goodput takes less time than one that stays") {
  TimeModel const model(quick_start());
  Plan const start = solve(model, {.global_batch = 256});
  weir::TrainingRun const run{.samples = 2'000'000, .reference_batch = 256, .period = 50};
  auto const noise = [](double progress) { return 200 + 8000 * progress; };  // grows while the loss falls
  auto const follow = [&](double now, Plan const& plan) -> std::optional<Plan> {
    std::size_t const batches[] = {256, 384, 512, 640, 768, 1024, 2048};
    auto best = weir::best_goodput(model, {}, batches, now, 256);
    if (best->global_batch == plan.global_batch) return {};
    return best;
  };
  auto const fixed = simulate_run(model, start, run, noise, no_change);
  auto const adaptive = simulate_run(model, start, run, noise, follow);
  CHECK(adaptive.segments.size() > 2);
  CHECK(adaptive.segments.back().plan.global_batch >= 640);
  CHECK(adaptive.seconds < 0.9 * fixed.seconds);
  CHECK(adaptive.steps < fixed.steps);
  double seconds = 0;
  for (auto const& segment : adaptive.segments) seconds += segment.seconds;
  CHECK(seconds == doctest::Approx(adaptive.seconds));
}

TEST_CASE("clusters are compared by the time of the same run") {
  auto smaller = quick_start();
  smaller.cluster.pop_back();
  TimeModel const both(quick_start());
  TimeModel const one(smaller);
  weir::TrainingRun const run{.samples = 100'000, .reference_batch = 512};
  auto const noise = [](double) { return 1e6; };
  auto const seconds = [&](TimeModel const& model) {
    return simulate_run(model, solve(model, {.global_batch = 512}), run, noise, no_change).seconds;
  };
  CHECK(seconds(both) < seconds(one));
  CHECK_THROWS_AS(simulate_run(both, Plan{}, run, noise, no_change), weir::ContractViolation);
}
