#include "weir/pipeline/pipeline_checkpoint.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/state/archive.hpp"

TEST_CASE("a pipeline's checkpoint gives its updates back, and names the first field that differs") {
  weir::detail::PipelineCheckpoint const saved{
      .seed = 3, .micro_batches = 8, .local_batch = 2, .replica = 1, .stages = {0, 1}, .delays = {1, 0}};
  weir::Archive archive;
  saved.save(archive, 17);
  auto const refusal = [&](auto const& change, weir::LoadOptions options = {}) {
    auto here = saved;
    change(here);
    try {
      auto const updates = here.check(archive, options);
      CHECK(updates == 17);
    } catch (weir::ArchiveError const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal([](auto&) {}) == "");
  CHECK(refusal([](auto& here) { here.seed = 4; }) == "the seed differs: 3 in the archive, 4 here");
  CHECK(refusal([](auto& here) { here.micro_batches = 4; }) ==
        "the number of micro-batches of an update differs: 8 in the archive, 4 here");
  CHECK(refusal([](auto& here) { here.local_batch = 1; }) ==
        "the local batch differs: 2 in the archive, 1 here");
  CHECK(refusal([](auto& here) { here.replica = 0; }) == "the replica differs: 1 in the archive, 0 here");
  CHECK(refusal([](auto& here) { here.delays[0] = 2; }) ==
        "the delay of part 0 differs: 1 in the archive, 2 here");
  CHECK(refusal([](auto& here) {
          here.selections = "0F: all";
        }).find("what is kept of messages that are not sent whole differs: '' in the archive, '0F: all'") ==
        0);
  CHECK(refusal([](auto& here) { here = {.stages = {0, 1}, .delays = {0, 0}}; }, {.strict = false}) == "");
  CHECK(refusal([](auto& here) { here.stages[1] = 2; }, {.strict = false}) ==
        "the first stage of part 1 differs: 1 in the archive, 2 here");
  CHECK(refusal([](auto& here) { here.stages.pop_back(); }, {.strict = false}) ==
        "the number of parts differs: 2 in the archive, 1 here");
}
