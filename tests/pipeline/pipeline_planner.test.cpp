#include "weir/pipeline/pipeline_planner.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

using weir::detail::RunPlanner;

TEST_CASE("with a flush an update is made after every so many runs") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 4});
  weir::PipelineOptions const options{.local_batch = 2, .flushes_per_update = 2};
  RunPlanner planner(options);
  for (std::uint32_t i = 0; i < 4; ++i) {
    auto const run = planner.training(table, 7);
    CHECK(run.number == i);
    CHECK(run.micro_batches == 4);
    CHECK(run.periods == 1);
    CHECK(run.first_version == i / 2);
    CHECK(run.flush == i % 2);
    CHECK(run.is_update == (i % 2 == 1));
    CHECK(planner.micro_batches(table, run, 0) == 8);
  }
  CHECK(planner.updates(table) == 2);
  CHECK_THROWS_WITH_AS(planner.training(table, 9), "a batch of 9 samples, but the pipeline takes 8 per run",
                       weir::ContractViolation);
  (void)planner.training(table, 8);
  CHECK_THROWS_AS((void)planner.updates(table), weir::ContractViolation);
  planner.go_on_from(7);
  CHECK(planner.evaluation(table, 8).first_version == 7);
  CHECK(planner.training(table, 8).first_version == 7);
}

TEST_CASE("without a flush a run makes as many updates as it has periods") {
  auto const table = weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2});
  weir::PipelineOptions options;
  RunPlanner planner(options);
  CHECK(planner.training(table, 6).periods == 3);
  CHECK_THROWS_AS(planner.training(table, 5), weir::ContractViolation);
  CHECK(planner.training(table, 2).first_version == 3);
  options.remainder = weir::Remainder::drop;
  CHECK(planner.training(table, 5).micro_batches == 4);
  options.remainder = weir::Remainder::partial;
  auto const partial = planner.training(table, 5);
  CHECK(partial.periods == 3);
  CHECK(planner.micro_batches(table, partial, 1) == 2);
  CHECK(planner.micro_batches(table, partial, 2) == 1);
  CHECK(planner.updates(table) == 9);
  CHECK(planner.evaluation(table, 1).is_evaluation);
}
