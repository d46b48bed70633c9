#include "weir/pipeline/hidden_reduce.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/reduce_slack.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

/// Takes as long as a reduction over replicas would.
struct SlowReduce {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  static constexpr char const* name = "slow reduce";
  std::chrono::milliseconds time{0};

  template <weir::Executor E, class Real>
  auto on(weir::RecipeContext<E, Real> const&) const {
    return Bound<E, Real>{time};
  }

  template <weir::Executor E, class Real>
  struct Bound {
    std::chrono::milliseconds time;
    weir::DenseGradient<E, Real> operator()(weir::DenseGradient<E, Real> gradient) const {
      gradient.executor.submit([wait = time](E const&) { std::this_thread::sleep_for(wait); });
      return gradient;
    }
  };
};

}  // namespace

TEST_CASE("what exceeds the slack of a schedule is said, by stage") {
  std::vector<std::size_t> const stages{0, 2};
  std::vector<double> const measured{0.001, 0.003};
  std::vector<weir::Rational> const slack{{1, 2}, 0, {2, 3}};
  auto const reduces = weir::hidden_reduces(stages, measured, slack, 0.003);
  CHECK(reduces[0].slack == doctest::Approx(0.0015));
  CHECK(reduces[0].excess() == 0);
  CHECK(reduces[0].text() == "stage 0: an update takes 1.000 ms, all of it hidden, as 1.500 ms would be");
  CHECK(reduces[1].excess() == doctest::Approx(0.001));
  CHECK(reduces[1].text() ==
        "stage 2: an update takes 3.000 ms, of which 2.000 ms are hidden: 1.000 ms too long");
  CHECK_THROWS_AS(weir::hidden_reduces(stages, std::vector<double>{1}, slack), weir::ContractViolation);
  CHECK_THROWS_AS(weir::hidden_reduces(std::vector<std::size_t>{0, 3}, measured, slack),
                  weir::ContractViolation);
}

TEST_CASE("a pipeline measures from the last part of a gradient to the end of its update") {
  using namespace std::chrono_literals;
  std::vector<double> weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::ScheduleTable const table =
      weir::find_schedule("1f1b")->make_table({.workers = 4, .micro_batches = 8});
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      weir::HostExecutor(), table, {.stages = scalar_chain::layouts(4)}};
  auto sync = pipe.bind_each(
      [](std::size_t part) {
        return weir::LocalAggregator{} | SlowReduce{part == 2 ? 30ms : 0ms} |
               weir::Sgd{{.learning_rate = 0.25}};
      },
      weir::view(weights));
  for (int run = 0; run < 2; ++run) sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
  std::vector<double> const measured = sync.take_update_times();
  REQUIRE(measured.size() == 4);
  for (double const seconds : measured) CHECK(seconds > 0);
  CHECK(measured[2] >= 0.030);
  CHECK(measured[2] < 10);
  std::vector<std::size_t> stages;
  for (std::size_t part = 0; part < pipe.parts(); ++part) stages.push_back(pipe.stage_of(part));
  auto const reduces = weir::hidden_reduces(stages, measured, weir::reduce_slack(table), 1e-4);
  CHECK(reduces[2].excess() >= 0.029);
  CHECK(sync.take_update_times() == std::vector<double>(4, 0.0));
}
