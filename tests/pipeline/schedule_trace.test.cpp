#include "weir/pipeline/schedule_trace.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulate.hpp"
#include "weir/pipeline/table_file_error.hpp"

using namespace weir;

namespace {

/// The events of a phase, each a line.
std::vector<std::string> events(std::string const& trace, std::string const& phase) {
  std::vector<std::string> result;
  detail::Split lines(trace, '\n');
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with("{\"ph\":\"" + phase + "\"")) result.emplace_back(line);
  }
  return result;
}

double number(std::string const& event, std::string const& key) {
  return std::strtod(event.c_str() + event.find("\"" + key + "\":") + key.size() + 3, nullptr);
}

bool has(std::string const& event, std::string const& text) {
  return event.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("events of a worker do not overlap, and with the idle time they make the makespan") {
  for (NamedSchedule const& schedule : schedule_catalog()) {
    ScheduleTable const table = schedule.make_table({.workers = 4, .micro_batches = 8});
    Simulation const simulation = simulate(table, {.worker = {1, Rational(2, 3), Rational(1, 7)}});
    std::vector<double> end(4);
    std::vector<double> busy(4);
    for (std::string const& event : events(schedule_trace(timeline(table, simulation)), "X")) {
      std::size_t const worker = static_cast<std::size_t>(number(event, "tid"));
      CHECK(has(event, "\"cat\":\"compute\""));
      CHECK(number(event, "ts") >= end[worker] - 1e-9);
      end[worker] = number(event, "ts") + number(event, "dur");
      busy[worker] += number(event, "dur");
    }
    for (std::size_t worker = 0; worker < 4; ++worker) {
      CHECK(busy[worker] + 1000 * simulation.idle(worker).value() ==
            doctest::Approx(1000 * simulation.makespan().value()));
    }
  }
}

TEST_CASE("an event says what it is, and when exactly") {
  ScheduleTable const table = make_table<DualPipe>({.workers = 2, .micro_batches = 4});
  Simulation const simulation = simulate(table, {.worker = {Rational(1, 3), 1, 1}});
  std::string const trace = schedule_trace(timeline(table, simulation));
  CHECK(events(trace, "X").front() ==
        "{\"ph\":\"X\",\"name\":\"0F0\",\"pid\":0,\"tid\":0,\"cat\":\"compute\",\"ts\":0.000000,"
        "\"dur\":333.333333,\"args\":{\"stage\":0,\"microbatch\":0,\"kind\":\"F\",\"version\":0,"
        "\"start\":\"0\",\"end\":\"1/3\"}},");
  std::size_t pairs = 0;
  for (std::string const& event : events(trace, "X")) {
    if (has(event, "\"name\":\"(1F3r;0B0)OVERLAP_F_B\"") && has(event, "\"kind\":\"F&B\"")) ++pairs;
  }
  CHECK(pairs == 1);
  CHECK(events(trace, "s").size() == 8);  // each micro-batch forward and back
  CHECK(events(trace, "f").size() == 8);
  CHECK(has(events(trace, "s").front(), "\"cat\":\"message\""));
}

TEST_CASE("the activations that a worker holds come back to none") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 1, .micro_batches = 2});
  Simulation const simulation = simulate(table);
  std::vector<std::string> const counts = events(schedule_trace(timeline(table, simulation)), "C");
  REQUIRE(counts.size() == 4);
  CHECK(number(counts[0], "chunks") == 1);
  CHECK(number(counts[3], "chunks") == 0);
}
