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
#include "weir/pipeline/weight_versions.hpp"

namespace {

/// As many versions as the table needs.
struct Versions {
  std::vector<weir::StageVersions> of_stage;
  std::uint32_t versions(std::uint32_t stage, std::uint32_t) const { return of_stage[stage].live; }
};

/// Of a pipeline whose stages leave so many elements to their backwards.
std::size_t bytes(weir::TableView const& table, weir::Recompute recompute,
                  std::vector<std::size_t> const& saved) {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  std::vector<weir::StageLayout> stages;
  for (std::size_t const elements : saved) stages.push_back({.outputs = {{3}}, .saved = elements});
  weir::InterleavedPipeline<weir::HostExecutor, double, Versions> const pipe{
      executor,
      table,
      {.stages = stages, .local_batch = 2, .recompute = recompute},
      {weir::weight_versions(table)}};
  return memory.bytes();
}

/// By peak_bytes. The inputs are in the messages, which are there in any case.
std::size_t expected_bytes(weir::TableView const& table, weir::Recompute recompute,
                           std::vector<std::size_t> const& saved) {
  std::vector<weir::StageBytes> stages;
  for (std::size_t const elements : saved) stages.push_back({.activation = elements * 2 * sizeof(double)});
  std::size_t sum = 0;
  for (std::uint64_t const peak : weir::peak_bytes(table, stages, recompute)) sum += peak;
  return sum;
}

constexpr std::size_t saved = 1000;
constexpr std::size_t activation = saved * 2 * sizeof(double);

}  // namespace

TEST_CASE("a pipeline takes the memory for activations that peak_bytes says, recomputing and not") {
  for (std::string const name :
       {"gpipe", "1f1b", "pipedream", "pipedream-2bw", "interleaved-1f1b", "looped-bfs", "chimera", "zb-h1",
        "zb-h2", "zb-v", "dualpipe-v", "dualpipe", "wpipe"}) {
    for (std::uint32_t const m : {2u, 8u}) {
      auto const& schedule = *weir::find_schedule(name);
      weir::ScheduleShape const shape{
          .workers = 4, .micro_batches = m, .period = name == "pipedream" ? 1u : 0u};
      if (schedule.refusal(shape)) continue;
      CAPTURE(name);
      CAPTURE(m);
      auto const table = schedule.make_table(shape);
      std::vector<std::size_t> const all(table.view().stages(), saved);
      std::vector<std::size_t> const none(table.view().stages(), 0);
      for (auto const recompute :
           {weir::Recompute::never, weir::Recompute::except_last, weir::Recompute::always}) {
        std::size_t const expected = expected_bytes(table, recompute, all);
        CHECK(bytes(table, recompute, all) - bytes(table, recompute, none) == expected);
        // Of a backward that is split, or in a pair, what is recomputed stays for longer.
        bool const is_whole = name[0] != 'z' && name[0] != 'd';
        if (recompute == weir::Recompute::always && is_whole) CHECK(expected == 4 * activation);
      }
      CHECK(expected_bytes(table, weir::Recompute::never, all) > 4 * activation);
    }
  }
}

TEST_CASE("the activations of WPipe are (Q + p - i) / 2 of a worker's, recomputed a half") {
  auto const table = weir::find_schedule("wpipe")->make_table({.workers = 4, .micro_batches = 8});
  std::vector<std::size_t> const half(8, saved);
  std::vector<std::size_t> const none(8, 0);
  auto const never = weir::Recompute::never;
  auto const always = weir::Recompute::always;
  CHECK(bytes(table, never, half) - bytes(table, never, none) == (8 + 7 + 6 + 5) * activation);
  CHECK(bytes(table, always, half) - bytes(table, always, none) == 4 * activation);
}

TEST_CASE("stages of different sizes on one worker share their memory, too") {
  auto const table = weir::find_schedule("wpipe")->make_table({.workers = 4, .micro_batches = 8});
  std::vector<std::size_t> const uneven{2 * saved, saved, saved, saved, saved, saved, saved, 2 * saved};
  std::vector<std::size_t> const none(8, 0);
  auto const never = weir::Recompute::never;
  std::size_t const taken = bytes(table, never, uneven) - bytes(table, never, none);
  CHECK(taken >= expected_bytes(table, never, uneven));
  CHECK(10 * taken <= 11 * expected_bytes(table, never, uneven));
}
