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
  explicit Parts(weir::ScheduleTable const& table, weir::PipelineOptions const& with)
      : options(with),
        lanes(table),
        watch(table.properties().workers, options.watchdog),
        units([this](std::uint32_t) -> weir::HostExecutor const& { return executor; }, table, lanes, options,
              [](std::uint32_t) { return 1u; }, watch) {}

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
