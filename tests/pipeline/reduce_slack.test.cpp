#include "weir/pipeline/reduce_slack.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/pipedream_2bw.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"

using namespace weir;

TEST_CASE("WPipe and PipeDream-2BW have the known time for a reduction") {
  StageCost const cost{2, 1, 3};
  for (std::uint32_t p = 1; p <= 4; ++p) {
    for (std::uint32_t m = p; m <= p + 2; m += 2) {
      ScheduleShape const shape{.workers = p, .micro_batches = 4 * m, .period = m};
      std::vector<Rational> const wpipe = reduce_slack(make_table<WPipe>(shape), {.worker = cost});
      std::vector<Rational> const two = reduce_slack(make_table<PipeDream2BW>(shape), {.worker = cost});
      for (std::uint32_t worker = 0; worker < p; ++worker) {
        CAPTURE(p);
        CAPTURE(m);
        CAPTURE(worker);
        CHECK(wpipe[worker] == Rational((m - p + 1 + worker) * 6, 2));
        CHECK(wpipe[p + worker] == wpipe[worker]);
        CHECK(two[worker] == Rational((m - p + 1 + worker) * 6));
      }
    }
  }
}

TEST_CASE("in a flush there is the time to its end") {
  std::vector<Rational> const slack = reduce_slack(make_table<OneFOneB>({.workers = 4, .micro_batches = 8}));
  CHECK(slack == std::vector<Rational>{0, 2, 4, 6});
}
