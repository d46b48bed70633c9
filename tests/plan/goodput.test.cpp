#include "weir/plan/goodput.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "quick_start.hpp"

using weir::best_goodput;
using weir::TimeModel;

TEST_CASE("the batch with the best goodput is the golden one") {
  TimeModel const model(quick_start());
  std::vector<std::size_t> batches;
  for (std::size_t batch = 256; batch <= 4096; batch += 64) batches.push_back(batch);
  auto const goodput = [&](double noise, std::size_t expected) {
    auto const plan = best_goodput(model, {}, batches, noise, 256);
    REQUIRE(plan);
    CHECK(plan->global_batch == expected);
    return plan->samples_per_second() *
           weir::batch_efficiency(noise, 256, static_cast<double>(plan->global_batch));
  };
  CHECK(goodput(1000, 384) == doctest::Approx(1664.271).epsilon(1e-6));
  CHECK(goodput(4000, 640) == doctest::Approx(1831.679).epsilon(1e-6));
}

TEST_CASE("among equal goodputs the smaller batch wins, and none may be feasible") {
  TimeModel const model(quick_start());
  std::size_t const twice[] = {512, 512};
  CHECK(best_goodput(model, {}, twice, 100, 256)->global_batch == 512);
  std::size_t const infeasible[] = {100, 128};
  CHECK_FALSE(best_goodput(model, {}, infeasible, 100, 256));
  CHECK(weir::batch_efficiency(1000, 256, 256) == 1);
}
