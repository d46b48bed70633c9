// What recomputation saves, counted where memory is taken.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fault/counting_resource.hpp"
#include "weir/host/executor.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/stage_bytes.hpp"

namespace {

/// Of a pipeline whose stages leave so many elements to their backwards.
std::size_t bytes(weir::TableView const& table, weir::Recompute recompute, std::size_t saved) {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  std::vector<weir::StageLayout> const stages(table.stages(), {.outputs = {{3}}, .saved = saved});
  weir::InterleavedPipeline<weir::HostExecutor, double> const pipe{
      executor, table, {.stages = stages, .local_batch = 2, .recompute = recompute}};
  return memory.bytes();
}

}  // namespace

TEST_CASE(
    "the activations that a pipeline takes memory for are those that peak_bytes says, with and without") {
  constexpr std::size_t saved = 1000;
  constexpr std::size_t activation = saved * 2 * sizeof(double);
  for (char const* const name : {"gpipe", "1f1b", "zb-h1", "zb-h2"}) {
    for (std::uint32_t const m : {2u, 8u}) {
      auto const& schedule = *weir::find_schedule(name);
      weir::ScheduleShape const shape{.workers = 4, .micro_batches = m};
      if (schedule.refusal(shape)) continue;
      CAPTURE(name);
      CAPTURE(m);
      auto const table = schedule.make_table(shape);
      std::size_t kept = 0;
      for (auto const recompute :
           {weir::Recompute::never, weir::Recompute::except_last, weir::Recompute::always}) {
        // The inputs are in the messages, which are there in any case.
        std::vector<weir::StageBytes> const stages(4, {.weights = 0, .activation = activation, .input = 0});
        std::size_t expected = 0;
        for (std::uint64_t const peak : weir::peak_bytes(table, stages, recompute)) expected += peak;
        CHECK(bytes(table, recompute, saved) - bytes(table, recompute, 0) == expected);
        if (recompute == weir::Recompute::never) kept = expected;
        // Of a backward that is split, what is recomputed stays until its second part.
        bool const is_split = std::string(name)[0] == 'z';
        if (recompute == weir::Recompute::always && !is_split) CHECK(expected == 4 * activation);
      }
      CHECK(kept > 4 * activation);
    }
  }
}
