#include "weir/pipeline/pipeline_run.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/pipeline/schedule_table.hpp"

TEST_CASE("a table that breaks a rule is refused with the validator's words") {
  weir::ScheduleTable table({.workers = 1, .stages = 1, .micro_batches = 1});
  table.next_worker();
  table.add({.kind = weir::OperationKind::forward});
  try {
    weir::detail::check_pipeline(table, {.stages = {{}}});
    FAIL("an incomplete table was accepted");
  } catch (weir::ContractViolation const& error) {
    CHECK(std::string(error.what()).find("InterleavedPipeline: the table is not valid: missing:") == 0);
  }
  table.add({.kind = weir::OperationKind::backward});
  weir::detail::check_pipeline(table, {.stages = {{}}});
}
