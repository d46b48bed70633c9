// Pipelines over the real NCCL, with as many ranks as there are devices, two workers on each. One rank is a
// valid case: its workers hand over what they have.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/verb_pipeline.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/nccl/transport.hpp"

using weir::CudaExecutor;
using weir::NcclCommunicator;

namespace {

void check(char const* schedule, weir::ScheduleShape const& shape, std::uint32_t ranks,
           std::uint32_t versions) {
  CAPTURE(schedule);
  auto const all = verb_pipeline::train(weir::HostExecutor(), schedule, shape, versions, false);
  std::size_t const stages = all.size() / verb_pipeline::width;
  nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    // Worker i has stages i, p + i, ..
    std::vector<float> expected;
    for (std::size_t stage = 0; stage < stages; ++stage) {
      if (stage % shape.workers * ranks / shape.workers != communicator.rank()) continue;
      auto const begin = all.begin() + static_cast<std::ptrdiff_t>(stage * verb_pipeline::width);
      expected.insert(expected.end(), begin, begin + static_cast<std::ptrdiff_t>(verb_pipeline::width));
    }
    using Transport = weir::NcclTransport<CudaExecutor>;
    for (bool const is_captured : {false, true}) {
      if (is_captured && versions != 1) continue;
      CHECK(same_bits(
          verb_pipeline::train(executor, schedule, shape, versions, is_captured, Transport(communicator)),
          expected));
    }
  });
}

}  // namespace

TEST_CASE("a pipeline over NCCL gives the bits of threads, and so does a captured one") {
  int devices = 0;
  cudaGetDeviceCount(&devices);
  auto const ranks = static_cast<std::uint32_t>(devices);
  std::uint32_t const p = 2 * ranks;
  for (char const* schedule : {"gpipe", "1f1b", "zb-h1", "interleaved-1f1b"})
    check(schedule, {.workers = p, .micro_batches = 2 * p}, ranks, 1);
  check("wpipe", {.workers = p, .micro_batches = 4 * p, .period = 2 * p}, ranks, 2);
}
