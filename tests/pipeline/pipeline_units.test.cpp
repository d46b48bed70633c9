#include "weir/pipeline/pipeline_units.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/pipeline/schedule/chimera.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace {

using Units = weir::detail::PipelineUnits<weir::HostExecutor, float>;

struct Parts {
  explicit Parts(weir::ScheduleTable const& table, weir::PipelineOptions const& with,
                 std::vector<std::uint8_t> const& is_here = {}, bool sends_gradients = false)
      : options(with),
        lanes(table, is_here),
        watch(table.properties().workers, options.watchdog),
        units([this](std::uint32_t) -> weir::HostExecutor const& { return executor; }, table, lanes, options,
              [](std::uint32_t) { return 1u; }, watch, false, sends_gradients) {}

  weir::PipelineOptions options;
  weir::HostExecutor executor;
  weir::detail::LaneMap lanes;
  weir::detail::PipelineWatch watch;
  Units units;
};

}  // namespace

TEST_CASE("weights are in registration order, a shared parameter where it is registered first") {
  Parts parts(weir::make_table<weir::OneFOneB>({.workers = 3, .micro_batches = 2}),
              {.stages = {{.parameters = {2, 3}}, {.parameters = {4}}, {.parameters = {5, 2}}},
               .tied = {{{0, 0}, {2, 1}}}});
  CHECK(parts.units.size() == 4);
  std::vector<float> weights(2 + 3 + 4 + 5);
  parts.units.bind(weir::view(weights));
  auto const address = [&](std::uint32_t lane, std::size_t parameter) {
    auto const place = parts.units.places(lane)[parameter];
    return place.unit->weights(0, place.parameter).data() - weights.data();
  };
  CHECK(address(0, 0) == 0);
  CHECK(address(0, 1) == 2);
  CHECK(address(1, 0) == 5);
  CHECK(address(2, 0) == 9);
  CHECK(address(2, 1) == 0);
  std::vector<float> wrong(13);
  CHECK_THROWS_AS(parts.units.bind(weir::view(wrong)), weir::ContractViolation);
}

TEST_CASE("two copies of a stage add to the same gradient, the forward one first") {
  Parts parts(weir::make_table<weir::Chimera>({.workers = 2, .micro_batches = 2}),
              {.stages = {{.parameters = {2}}, {.parameters = {3}}}});
  CHECK(parts.units.size() == 2);
  CHECK(parts.units[0].workers() == 2);
  CHECK(parts.units.of_lane(0)[0].contributor == 0);
  CHECK(parts.units.of_lane(2)[0].contributor == 1);
  CHECK(parts.units.of_lane(2)[0].unit == &parts.units[0]);
}

TEST_CASE("a process registers a shared parameter where the first of its stages does") {
  weir::PipelineOptions const options{
      .stages = {{.parameters = {2, 3}}, {.parameters = {4}}, {.parameters = {5, 2}}},
      .tied = {{{0, 0}, {2, 1}}}};
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 3, .micro_batches = 2});
  Parts parts(table, options, {0, 0, 1}, true);
  REQUIRE(parts.units.size() == 2);
  CHECK(parts.units.first_stage(1) == 0);
  CHECK(parts.units.worker(1) == 2);
  CHECK(parts.units[1].workers() == 2);
  CHECK(parts.units.of_lane(2)[1].contributor == 1);
  CHECK(parts.units.of_lane(0)[0].contributor == 0);  // whose gradient comes from there
  std::vector<float> weights(5 + 2);
  parts.units.bind(weir::view(weights));
  auto const place = parts.units.places(2)[1];
  CHECK(place.unit->weights(0, place.parameter).data() == weights.data() + 5);
  CHECK(Parts(table, options, {0, 1, 0}, true).units.size() == 1);
}

TEST_CASE("where no gradients are sent, those that are added together have to be here") {
  auto const table = weir::make_table<weir::Chimera>({.workers = 2, .micro_batches = 2});
  CHECK_THROWS_WITH_AS(Parts(table, {.stages = {{.parameters = {2}}, {.parameters = {3}}}}, {1, 0}),
                       doctest::Contains("stage 0 is on worker 1, in another process"),
                       weir::ContractViolation);
}
