#include "weir/pipeline/issue_order.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "pipeline/random_table.hpp"
#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/insert_recompute.hpp"
#include "weir/pipeline/insert_updates.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/validate.hpp"

namespace {

/// Every operation once, behind those that it needs, and those of a worker in their order.
void check(weir::TableView const& table) {
  weir::IssueOrder const order(table);
  weir::OperationIndex const index(table);
  std::vector<std::uint8_t> is_done(table.operations().size(), 0);
  std::vector<std::size_t> next(table.workers(), 0);
  for (auto const& [worker, first, count, end] : order.entries()) {
    REQUIRE(first == next[worker]);
    next[worker] += count;
    CHECK(end >= 0);
    std::size_t const position = table.begin_of(worker) + first;
    bool is_ready = true;
    for (std::size_t k = position; k < position + count; ++k) {
      weir::for_each_dependency(table, index, table.operations()[k], [&](std::uint32_t needed) {
        is_ready = is_ready && (is_done[needed] != 0 || (needed >= position && needed < k));
      });
    }
    CHECK(is_ready);
    for (std::size_t k = position; k < position + count; ++k) is_done[k] = 1;
  }
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker)
    CHECK(next[worker] == table.worker(worker).size());
  CHECK(order.load() >= weir::min_edge_capacity(table));
}

}  // namespace

TEST_CASE("every operation comes once, behind those that it needs, for all schedules") {
  for (weir::NamedSchedule const& schedule : weir::schedule_catalog()) {
    CAPTURE(schedule.traits.name);
    weir::ScheduleShape const shape{.workers = 4, .micro_batches = 8};
    auto const table = schedule.make_table(shape);
    check(table);
    check(weir::insert_updates(weir::insert_recompute(table, weir::Recompute::always)));
  }
}

TEST_CASE("so they do for tables that nobody has thought of") {
  for (std::uint32_t seed = 0; seed < 1'000; ++seed) {
    CAPTURE(seed);
    check(RandomTable(seed).table());
  }
}

TEST_CASE("streams are given work in turns, and edges hold few messages") {
  auto const table = weir::find_schedule("1f1b")->make_table({.workers = 4, .micro_batches = 32});
  CHECK(weir::IssueOrder(table).load() <= 3);
  CHECK(weir::IssueOrder().entries().empty());
  auto const one = weir::find_schedule("gpipe")->make_table({.workers = 1, .micro_batches = 2});
  CHECK(weir::IssueOrder(one).load() == 0);
  CHECK(weir::IssueOrder(one).entries().size() == 4);
}
