#include "weir/pipeline/apply_weight_rule.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/grid_csv.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/pipedream_2bw.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/pipeline/validate.hpp"

using namespace weir;

TEST_CASE("a table that lost its versions in a file gets them back") {
  ScheduleTable const two = make_table<PipeDream2BW>({.workers = 4, .micro_batches = 8});
  ScheduleTable read = read_grid_csv(grid_csv(two));
  CHECK_FALSE(read == two);
  apply_weight_rule(read, 4, [](std::uint32_t) { return WeightRule{.delay = 1, .versions = 2}; });
  CHECK(read == two);

  ScheduleTable const wpipe =
      make_table<WPipe>({.workers = 3, .micro_batches = 12, .period = 6, .blocks = 2});
  read = read_grid_csv(grid_csv(wpipe));
  apply_weight_rule(read, 6, [](std::uint32_t stage) { return WPipe::weight_rule({.workers = 3}, stage); });
  CHECK(read == wpipe);
}

TEST_CASE("the latest weights are those of PipeDream") {
  ScheduleTable const pipedream = make_table<PipeDream>({.workers = 4, .micro_batches = 9});
  ScheduleTable read = read_grid_csv(grid_csv(pipedream));
  apply_latest_weights(read, 1);
  CHECK(read == pipedream);
  CHECK(validate(read));
}

TEST_CASE("a period of nothing is refused") {
  ScheduleTable table = make_table<PipeDream>({.workers = 2, .micro_batches = 2});
  CHECK_THROWS_AS(apply_latest_weights(table, 0), ContractViolation);
}
