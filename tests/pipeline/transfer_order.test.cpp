#include "weir/pipeline/transfer_order.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "pipeline/random_table.hpp"
#include "weir/pipeline/insert_updates.hpp"
#include "weir/pipeline/schedule_catalog.hpp"

namespace {

std::vector<std::size_t> places_of(std::uint32_t workers, std::size_t each) {
  std::vector<std::size_t> places;
  for (std::uint32_t worker = 0; worker < workers; ++worker) places.push_back(worker / each);
  return places;
}

/// Runs a table whose places have a queue each for outputs and for gradients, in which a transfer ends when
/// both of its sides have got to the front and its sender has computed, and counts how many run to the end.
/// Places enqueue in the order that is tested.
std::size_t run(weir::TableView const& table, weir::IssueOrder const& issue, weir::TransferOrder const& order,
                std::vector<std::size_t> const& places) {
  using Message = weir::TransferOrder::Message;
  struct Step {
    bool is_transfer = false;
    std::size_t group = 0;  // or position
  };
  std::vector<std::vector<Message>> groups;
  std::map<std::pair<std::size_t, bool>, std::vector<std::size_t>> queues;  // place, kind: groups
  for (std::size_t entry = 0; entry < issue.entries().size(); ++entry) {
    auto const messages = order.after(entry);
    for (std::size_t k = 0; k < messages.size(); ++k) {
      groups.push_back({messages[k]});
      if (messages[k].goes_with_next) groups.back().push_back(messages[++k]);
      queues[{places[messages[k].from], messages[k].is_forward}].push_back(groups.size() - 1);
      queues[{places[messages[k].to], messages[k].is_forward}].push_back(groups.size() - 1);
    }
  }
  std::vector<std::uint8_t> is_computed(table.operations().size(), 0);
  std::map<std::uint32_t, std::vector<std::uint32_t>> needs;  // by consumer
  for (Message const& message : order.messages()) needs[message.consumer].push_back(message.producer);
  std::set<std::pair<std::uint32_t, std::uint32_t>> arrived;
  std::vector<std::size_t> next(table.workers(), 0);
  std::map<std::pair<std::size_t, bool>, std::size_t> front;
  std::size_t done = 0;
  for (bool goes_on = true; goes_on;) {
    goes_on = false;
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      while (next[worker] < table.worker(worker).size()) {
        auto const at = static_cast<std::uint32_t>(table.begin_of(worker) + next[worker]);
        bool is_ready = true;
        for (std::uint32_t const producer : needs[at]) is_ready = is_ready && arrived.count({producer, at});
        if (!is_ready) break;
        is_computed[at] = 1;
        ++next[worker];
        ++done;
        goes_on = true;
      }
    }
    for (std::size_t g = 0; g < groups.size(); ++g) {
      bool is_ready = true;
      for (Message const& message : groups[g]) {
        for (std::uint32_t const worker : {message.from, message.to}) {
          auto const key = std::pair{places[worker], message.is_forward};
          is_ready = is_ready && front[key] < queues[key].size() && queues[key][front[key]] == g;
        }
        is_ready = is_ready && is_computed[message.producer] != 0;
      }
      if (!is_ready) continue;
      for (Message const& message : groups[g]) arrived.insert({message.producer, message.consumer});
      Message const& any = groups[g].front();
      ++front[{places[any.from], any.is_forward}];
      ++front[{places[any.to], any.is_forward}];
      goes_on = true;
    }
  }
  return done;
}

std::size_t pairs(weir::TransferOrder const& order) {
  std::size_t count = 0;
  for (auto const& message : order.messages()) count += message.goes_with_next ? 1 : 0;
  return count;
}

void check(weir::TableView const& table, std::size_t each) {
  weir::IssueOrder const issue(table);
  auto const places = places_of(table.workers(), each);
  weir::TransferOrder const order(table, issue, places);
  CHECK(run(table, issue, order, places) == table.operations().size());
  for (std::size_t entry = 0; entry < issue.entries().size(); ++entry) {
    for (auto const& message : order.after(entry)) CHECK(places[message.from] != places[message.to]);
  }
}

}  // namespace

TEST_CASE("transfers in one queue a place, each waiting for both sides, run every schedule to its end") {
  for (weir::NamedSchedule const& schedule : weir::schedule_catalog()) {
    CAPTURE(schedule.traits.name);
    auto const table = schedule.make_table({.workers = 4, .micro_batches = 8});
    for (std::size_t const each : {1u, 2u}) check(weir::insert_updates(table), each);
  }
  check(weir::find_schedule("wpipe")->make_table({.workers = 2, .micro_batches = 8, .period = 2}), 1);
}

TEST_CASE("so they do for tables that nobody has thought of, whose messages overtake each other") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    check(RandomTable(seed).table(), 1);
  }
}

TEST_CASE("opposite messages of one time go together, and skip edges are messages of their own") {
  auto const places = places_of(2, 1);
  auto const chimera = weir::find_schedule("chimera")->make_table({.workers = 2, .micro_batches = 4});
  weir::IssueOrder const issue(chimera);
  weir::TransferOrder const order(chimera, issue, places);
  CHECK(pairs(order) > 0);
  for (std::size_t k = 0; k + 1 < order.messages().size(); ++k) {
    auto const& first = order.messages()[k];
    auto const& second = order.messages()[k + 1];
    if (!first.goes_with_next) continue;
    CHECK(first.from == second.to);
    CHECK(first.to == second.from);
    CHECK(first.is_forward == second.is_forward);
    CHECK_FALSE(second.goes_with_next);
  }
  auto const plain = weir::find_schedule("1f1b")->make_table({.workers = 3, .micro_batches = 4});
  weir::TransferOrder const straight(plain, weir::IssueOrder(plain), places_of(3, 1));
  CHECK(straight.messages().size() == 2 * 2 * 4);
  CHECK(pairs(straight) == 0);
  std::vector<weir::SkipEdge> const skips{{0, 2}};
  weir::IssueOrder const with_skips(plain, skips);
  CHECK(weir::TransferOrder(plain, with_skips, places_of(3, 1), skips).messages().size() == 3 * 2 * 4);
  CHECK(weir::TransferOrder(plain, with_skips, places_of(3, 3), skips).messages().empty());
}
