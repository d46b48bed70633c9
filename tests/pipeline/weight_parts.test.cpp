#include "weir/pipeline/weight_parts.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "weir/pipeline/schedule/chimera.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

TEST_CASE("the parts are those of the stages that have parameters of their own, then the tied ones") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 2});
  weir::detail::LaneMap const lanes(table);
  weir::PipelineOptions const options{
      .stages = {{.parameters = {2, 3}}, {.is_empty = true}, {}, {.parameters = {3}}},
      .tied = {{{0, 1}, {3, 0}}}};
  auto const parts = weir::detail::weight_parts(lanes, options);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].link == 0);
  CHECK(parts[0].elements() == 2);
  CHECK(parts[0].lanes == std::vector<std::uint32_t>{0});
  CHECK(parts[1].link == 1);
  CHECK(parts[1].elements() == 3);
  CHECK(parts[1].stages == std::vector<std::uint32_t>{0, 3});
  CHECK(parts[1].lanes == std::vector<std::uint32_t>{0, 3});
  CHECK(parts[1].parameters[0].places[1].stage == 3);
}

TEST_CASE("the copies of a stage add to one part, those of a shared parameter stage by stage") {
  auto const table = weir::make_table<weir::Chimera>({.workers = 2, .micro_batches = 2});
  weir::detail::LaneMap const lanes(table);
  weir::PipelineOptions const options{.stages = {{.parameters = {2, 4}}, {.parameters = {3, 4}}},
                                      .tied = {{{0, 1}, {1, 1}}}};
  auto const parts = weir::detail::weight_parts(lanes, options);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].lanes == std::vector<std::uint32_t>{0, 2});
  CHECK(parts[1].lanes == std::vector<std::uint32_t>{1, 3});
  CHECK(parts[2].lanes == std::vector<std::uint32_t>{0, 2, 1, 3});
}

TEST_CASE("a parameter of a stage without layers cannot be tied") {
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 2, .micro_batches = 2});
  weir::detail::LaneMap const lanes(table);
  weir::PipelineOptions const options{.stages = {{.parameters = {2}}, {.parameters = {2}, .is_empty = true}},
                                      .tied = {{{0, 0}, {1, 0}}}};
  CHECK_THROWS_WITH_AS(weir::detail::weight_parts(lanes, options),
                       "a tied parameter of stage 1 and number 0 is none that a stage layout has",
                       weir::ContractViolation);
}
