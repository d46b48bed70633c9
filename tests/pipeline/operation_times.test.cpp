#include "weir/pipeline/operation_times.hpp"

#include <doctest/doctest.h>

using weir::detail::OperationTimes;
using weir::detail::PipelineRun;

TEST_CASE("operations that begin together end together, and an evaluation leaves no times") {
  OperationTimes times;
  PipelineRun run;
  run.begin = std::chrono::steady_clock::now() - std::chrono::milliseconds(2);
  CHECK(times.now(run) == 0);
  times.keep(run, 1, 0, 2);
  CHECK(times.begins().empty());
  times.resize(3);
  CHECK(times.now(run) >= 2'000'000);
  times.keep(run, 5, 1, 2);
  CHECK(times.begins() == std::vector<std::int64_t>{0, 5, 5});
  CHECK(times.ends()[0] == 0);
  CHECK(times.ends()[1] >= 2'000'000);
  CHECK(times.ends()[1] == times.ends()[2]);
  run.is_evaluation = true;
  times.keep(run, 7, 0, 1);
  CHECK(times.begins()[0] == 0);
}
