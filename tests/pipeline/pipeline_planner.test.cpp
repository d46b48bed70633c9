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

TEST_CASE("the samples of all replicas are those of the flushes of an update") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 4});
  weir::PipelineOptions const options{.local_batch = 2, .flushes_per_update = 2, .replicas = 3};
  RunPlanner planner(options);
  auto const told = [&](std::size_t samples, std::size_t of_all) {
    return planner.samples_of_all(table, planner.training(table, samples, of_all), 0);
  };
  CHECK(told(8, 24) == 24);
  CHECK(told(0, 5) == 29);
  CHECK(told(0, 0) == 0);  // on all
  CHECK(told(3, 5) == 5);
  CHECK(told(8, 0) == 24);  // as many on each as here
  CHECK(told(8, 9) == 33);
  CHECK_THROWS_WITH_AS(planner.training(table, 8, 7),
                       "7 samples of all replicas in a run, of which 8 are here; 8 to 24 would be right",
                       weir::ContractViolation);
  CHECK_THROWS_AS(planner.training(table, 8, 25), weir::ContractViolation);
  weir::PipelineOptions const alone{.local_batch = 2};
  RunPlanner counting(alone);
  CHECK(counting.samples_of_all(table, counting.training(table, 8), 0) == 0);  // not known
  CHECK_THROWS_WITH_AS(counting.training(table, 8, 12), doctest::Contains("replicas has to say how many"),
                       weir::ContractViolation);
}

TEST_CASE("without a flush all updates but the last one of a run are over whole micro-batches") {
  auto const table = weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2});
  weir::PipelineOptions options{.local_batch = 3, .remainder = weir::Remainder::partial, .replicas = 2};
  RunPlanner planner(options);
  auto const run = planner.training(table, 14, 29);  // the other has 15
  REQUIRE(run.periods == 3);
  CHECK(planner.samples_of_all(table, run, 0) == 12);
  CHECK(planner.samples_of_all(table, run, 1) == 12);
  CHECK(planner.samples_of_all(table, run, 2) == 5);
  auto const even = planner.training(table, 14);
  CHECK(planner.samples_of_all(table, even, 1) == 12);
  CHECK(planner.samples_of_all(table, even, 2) == 4);
  for (std::size_t const wrong : {13u, 24u, 37u}) {
    CHECK_THROWS_WITH_AS(planner.training(table, 14, wrong), doctest::Contains("25 to 36 would be right"),
                         weir::ContractViolation);
  }
  CHECK_THROWS_WITH_AS(planner.training(table, 0, 5), doctest::Contains("as many updates on each"),
                       weir::ContractViolation);
  options.remainder = weir::Remainder::drop;
  auto const dropped = planner.training(table, 14, 23);  // here 2 are dropped, the other has 11
  CHECK(dropped.periods == 2);
  CHECK(dropped.number == even.number + 1);  // what was refused has none
  CHECK(planner.samples_of_all(table, dropped, 1) == 11);
  options.replicas = 0;
  CHECK_THROWS_WITH_AS(planner.training(table, 6, 12), doctest::Contains("replicas has to say how many"),
                       weir::ContractViolation);
}
