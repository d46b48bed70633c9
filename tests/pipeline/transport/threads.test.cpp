#include "weir/pipeline/transport/threads.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/overstating_transport.hpp"
#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/validate.hpp"
#include "weir/stage/recipe.hpp"

namespace {

weir::PipelineMessage message(std::uint32_t micro_batch, std::byte* data = nullptr) {
  return {.tag = {.micro_batch = micro_batch}, .data = data, .bytes = 4};
}

weir::ThreadTransport open(bool is_in_order) {
  weir::ThreadTransport transport({.capacity = 2});
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1, .is_in_order = is_in_order}};
  transport.open(edges, 1);
  return transport;
}

}  // namespace

TEST_CASE("an edge in order is a ring that hands buffers over and holds as many as it says") {
  auto transport = open(true);
  std::byte buffers[3];
  CHECK(transport.capacity(0) == 2);
  CHECK(transport.try_send(0, message(0, &buffers[0])));
  CHECK(transport.try_send(0, message(1, &buffers[1])));
  CHECK_FALSE(transport.try_send(0, message(2, &buffers[2])));
  weir::PipelineMessage got;
  CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK(got.data == &buffers[0]);
  CHECK(transport.try_send(0, message(2, &buffers[2])));
  CHECK_THROWS_WITH_AS(transport.try_receive(0, {.micro_batch = 2}, got),
                       "edge 0 -> 1 (F) brought 0F1 where 0F2 was due", weir::ContractViolation);
  transport.clear();
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
}

TEST_CASE("an edge out of order is searched for the tag, and does not hold one twice") {
  auto transport = open(false);
  weir::PipelineMessage got;
  CHECK(transport.try_send(0, message(0)));
  CHECK_THROWS_WITH_AS(transport.try_send(0, message(0)),
                       "edge 0 -> 1 (F) holds 0F0 already, and it was sent again", weir::ContractViolation);
  CHECK(transport.try_send(0, message(1)));
  CHECK(transport.try_receive(0, {.micro_batch = 1}, got));
  CHECK(got.tag.micro_batch == 1);
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
}

TEST_CASE("what is left over on an edge is told by its tag, but nothing of a later run") {
  for (bool const is_in_order : {true, false}) {
    auto transport = open(is_in_order);
    weir::PipelineMessage got;
    weir::PipelineMessage later = message(0);
    later.tag.run = 1;
    CHECK(!transport.left_over(0, 0));
    CHECK(transport.try_send(0, message(0)));
    CHECK(transport.try_send(0, later));
    CHECK(transport.left_over(0, 0) == weir::MessageTag{.micro_batch = 0});
    CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
    CHECK(!transport.left_over(0, 0));
    CHECK(transport.left_over(0, 1) == later.tag);
  }
}

TEST_CASE("without room a send ends when the receiver stands at its message") {
  weir::ThreadTransport transport({.capacity = 0});
  std::vector<weir::PipelineEdge> const edges{{.from = 0, .to = 1}};
  transport.open(edges, 0);
  CHECK(transport.capacity(0) == 0);
  std::byte buffer[1];
  weir::PipelineMessage got;
  CHECK_FALSE(transport.try_send(0, message(0, &buffer[0])));
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK_FALSE(transport.try_send(0, message(1, &buffer[0])));  // not this one
  CHECK(transport.try_send(0, message(0, &buffer[0])));
  CHECK_FALSE(transport.try_send(0, message(1, &buffer[0])));
  CHECK(transport.try_receive(0, {.micro_batch = 0}, got));
  CHECK(got.data == &buffer[0]);
  CHECK_FALSE(transport.try_receive(0, {.micro_batch = 1}, got));
  transport.clear();
  CHECK_FALSE(transport.try_send(0, message(1, &buffer[0])));
}

namespace {

using namespace std::chrono_literals;

/// More versions than any schedule here needs.
struct Versions {
  std::uint32_t versions(std::uint32_t, std::uint32_t stages) const { return stages; }
};

/// One edge holds a message less than the others.
struct UnevenTransport : weir::ThreadTransport {
  UnevenTransport(std::uint32_t capacity, std::size_t tight)
      : ThreadTransport({.capacity = capacity}), tight_edge(tight) {}

  void open(std::span<weir::PipelineEdge const> opened, std::uint32_t needed,
            weir::MessageNumbers const& numbers) {
    edges->assign(opened.begin(), opened.end());
    ThreadTransport::open(opened, needed, numbers);
  }
  std::uint32_t capacity(std::size_t edge) const {
    return ThreadTransport::capacity(edge) - (edge == tight_edge ? 1 : 0);
  }

  std::size_t tight_edge;
  std::shared_ptr<std::vector<weir::PipelineEdge>> edges =
      std::make_shared<std::vector<weir::PipelineEdge>>();
};

/// The weights after two runs.
template <class Transport>
std::vector<double> train(weir::TableView const& table, Transport transport,
                          std::chrono::milliseconds watchdog = 60s) {
  std::uint32_t const stages = table.stages();
  std::vector<double> weights(stages, 0.75);
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  auto const is_believed = belief_in(transport);
  weir::InterleavedPipeline<weir::HostExecutor, double, Versions, Transport> pipe{
      executor,
      table,
      {.stages = scalar_chain::layouts(stages), .watchdog = watchdog},
      {},
      std::move(transport)};
  *is_believed = true;
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  scalar_chain::Batch const batch(scalar_chain::samples);
  for (int run = 0; run < 2; ++run) sync(pipe(batch.first(table.micro_batches()), model));
  sync.drain();
  return weights;
}

/// Whether the watchdog finds a worker that waits for room; one that is hasty on a busy machine finds less.
bool waits_for_room(weir::TableView const& table, std::uint32_t capacity) {
  for (std::chrono::milliseconds watchdog = 20ms; watchdog < 10s; watchdog *= 8) {
    try {
      train(table, OverstatingTransport(capacity), watchdog);
      return false;
    } catch (weir::PipelineStalled const& error) {
      if (std::string(error.what()).find("waits for room on edge ") != std::string::npos) return true;
    }
  }
  return false;
}

struct Case {
  char const* name;
  weir::ScheduleShape shape;
};

/// Every schedule, with both directions or with one, for two to four workers.
std::vector<Case> cases() {
  std::vector<Case> cases;
  for (std::uint32_t p = 2; p <= 4; ++p) {
    for (weir::NamedSchedule const& schedule : weir::schedule_catalog()) {
      auto const& traits = schedule.traits;
      for (std::uint32_t factor = traits.has_warmup_factor ? 1 : 0; factor <= (factor == 0 ? 0 : 2);
           ++factor) {
        weir::ScheduleShape shape{.workers = p, .micro_batches = 8, .warmup_factor = factor};
        if (!traits.synchronous) shape.period = traits.name == std::string("pipedream") ? 1 : 4;
        if (!schedule.refusal(shape)) cases.push_back({traits.name, shape});
      }
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("with the least capacity every schedule runs through, and capacity changes no bit") {
  std::vector<std::string> names;
  for (Case const& the : cases()) {
    CAPTURE(the.name);
    CAPTURE(the.shape.workers);
    auto const table = weir::find_schedule(the.name)->make_table(the.shape);
    std::uint32_t const needed = weir::min_edge_capacity(table);
    bool const has_any = the.name == std::string("sequential") || the.name == std::string("gpipe");
    CHECK((needed == 0) == has_any);
    auto const expected = train(table, weir::ThreadTransport());
    CHECK(expected != std::vector<double>(expected.size(), 0.75));
    CHECK(same_bits(train(table, weir::ThreadTransport({.capacity = needed})), expected));
    if (names.empty() || names.back() != the.name) names.emplace_back(the.name);
  }
  std::size_t const with_an_odd_number_of_workers = weir::schedule_catalog().size() - 2;
  CHECK(names.size() == 2 * weir::schedule_catalog().size() + with_an_odd_number_of_workers);
}

TEST_CASE("a transport of which one edge holds too little is refused before anything runs, by its name") {
  for (Case const& the : cases()) {
    if (the.shape.workers == 3) continue;
    CAPTURE(the.name);
    auto const table = weir::find_schedule(the.name)->make_table(the.shape);
    std::uint32_t const needed = weir::min_edge_capacity(table);
    if (needed == 0) continue;
    auto const bind = [&](std::size_t tight_edge) {
      UnevenTransport transport(needed, tight_edge);
      auto const edges = transport.edges;
      std::uint32_t const stages = table.properties().stages;
      weir::HostExecutor const executor;
      weir::InterleavedPipeline<weir::HostExecutor, double, Versions, UnevenTransport> const pipe{
          executor, table, {.stages = scalar_chain::layouts(stages)}, {}, std::move(transport)};
      return *edges;
    };
    std::vector<weir::PipelineEdge> const edges = bind(SIZE_MAX);
    CHECK(edges.size() >= 2 * (the.shape.workers - 1));
    for (std::size_t edge = 0; edge < edges.size(); ++edge) {
      std::string const text = "capacity: " + weir::text(edges[edge]) + " holds " +
                               std::to_string(needed - 1) + " messages, this table needs " +
                               std::to_string(needed);
      CHECK_THROWS_WITH_AS(bind(edge), text.c_str(), weir::ContractViolation);
    }
  }
}

TEST_CASE("with less than the least capacity a run ends by its watchdog, as the validator says") {
  for (Case const& the : cases()) {
    CAPTURE(the.name);
    CAPTURE(the.shape.workers);
    auto const table = weir::find_schedule(the.name)->make_table(the.shape);
    std::uint32_t const needed = weir::min_edge_capacity(table);
    CHECK(weir::validate(table, {.edge_capacity = needed}).has(weir::ViolationCode::capacity) == false);
    if (needed == 0) continue;
    CHECK(weir::validate(table, {.edge_capacity = needed - 1}).has(weir::ViolationCode::capacity));
    CHECK_THROWS_AS(weir::simulate(table, {}, {.edge_capacity = needed - 1}), weir::ContractViolation);
    CHECK(waits_for_room(table, needed - 1));
  }
}
