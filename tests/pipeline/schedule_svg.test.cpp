#include "weir/pipeline/schedule_svg.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/simulate.hpp"

using namespace weir;

namespace {

std::size_t count(std::string const& text, std::string const& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a drawing has a box for each slot, an axis with its unit, and a legend") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 3});
  Simulation const simulation = simulate(table);
  std::string const svg = schedule_svg(timeline(table, simulation), {.title = "a < b", .unit = "ms"});
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(count(svg, "<rect class=\"box") == 12);
  CHECK(count(svg, "<title>") == 12);
  CHECK(count(svg, "a &lt; b") == 1);
  CHECK(count(svg, "ms; makespan 12") == 1);
  CHECK(count(svg, "gradient of the weights") == 1);
  CHECK(count(svg, "<title>0F0, 0 to 1, version 0</title>") == 1);
}

TEST_CASE("a pair is one box") {
  ScheduleTable const table = make_table<DualPipe>({.workers = 2, .micro_batches = 4});
  Simulation const simulation = simulate(table);
  std::string const svg = schedule_svg(timeline(table, simulation));
  CHECK(count(svg, "<rect class=\"box pair") == 2);
  CHECK(count(svg, "(1F3r;0B0)OVERLAP_F_B, ") == 1);
}
