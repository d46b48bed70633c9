#include "weir/plan/simulate_step.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "quick_start.hpp"

using weir::WeightPolicy;
using weir::WorkLayout;

TEST_CASE("the replay of a step has the golden values") {
  weir::TimeModel const model(quick_start());
  auto const milliseconds = [&](WorkLayout const& v100, WorkLayout const& p100,
                                WeightPolicy policy = WeightPolicy::overlap) {
    std::vector<WorkLayout> layouts(4, v100);
    layouts.insert(layouts.end(), 4, p100);
    return 1000 * weir::simulate_step(model, layouts, policy);
  };
  CHECK(milliseconds({1, 1, 32}, {1, 1, 32}) == doctest::Approx(171.0761).epsilon(1e-6));
  CHECK(milliseconds({2, 1, 32}, {1, 1, 32}) == doctest::Approx(209.3923).epsilon(1e-6));
  CHECK(milliseconds({3, 1, 32}, {1, 1, 32}) == doctest::Approx(300.3287).epsilon(1e-6));
  CHECK(milliseconds({3, 1, 32}, {1, 1, 32}, WeightPolicy::sequential) ==
        doctest::Approx(308.3454).epsilon(1e-6));
  CHECK(milliseconds({4, 1, 32}, {2, 1, 32}) == doctest::Approx(389.3124).epsilon(1e-6));
  CHECK(milliseconds({2, 1, 64}, {1, 1, 64}) == doctest::Approx(384.5305).epsilon(1e-6));
  CHECK(milliseconds({1, 5, 32}, {3, 1, 32}) == doctest::Approx(525.0192).epsilon(1e-6));
  CHECK(milliseconds({2, 5, 32}, {3, 2, 32}) == doctest::Approx(970.7394).epsilon(1e-6));
  CHECK(milliseconds({4, 5, 32}, {4, 3, 32}) == doctest::Approx(1818.2688).epsilon(1e-6));
}

TEST_CASE("the replay is never faster than the last collective and update allow") {
  weir::TimeModel const model(quick_start());
  std::vector<WorkLayout> const layouts(8, {1, 1, 32});
  auto const slowest = model.phases(1, 32, 1, WeightPolicy::sequential);
  double const seconds = weir::simulate_step(model, layouts, WeightPolicy::sequential);
  CHECK(seconds >=
        slowest.last_backward(1) + slowest.backward + slowest.last_bucket + slowest.update - 1e-12);
  CHECK(seconds > weir::simulate_step(model, layouts, WeightPolicy::overlap));
  CHECK_THROWS_AS(weir::simulate_step(model, std::span(layouts).first(3), WeightPolicy::shared),
                  weir::ContractViolation);
}
