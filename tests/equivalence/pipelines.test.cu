// Pipelines on streams of a device and of two, enqueued and captured, against the host's threads.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/cuda/verb_pipeline.hpp"
#include "weir/cuda/peer_transport.hpp"

using verb_pipeline::train;

namespace {

void compare(char const* schedule, weir::ScheduleShape const& shape, std::uint32_t versions = 1) {
  CAPTURE(schedule);
  auto const expected = train(weir::HostExecutor(), schedule, shape, versions, false);
  for (int repeat = 0; repeat < 5; ++repeat)
    CHECK(oracle::same(train(weir::CudaExecutor(), schedule, shape, versions, false), expected));
  if (versions == 1) CHECK(oracle::same(train(weir::CudaExecutor(), schedule, shape, 1, true), expected));
}

}  // namespace

TEST_CASE("a pipeline over streams gives the bits of threads, and so does a captured one") {
  for (char const* schedule : {"gpipe", "1f1b", "zb-h1", "zb-h2"})
    compare(schedule, {.workers = 4, .micro_batches = 8});
  for (char const* schedule : {"1f1b", "interleaved-1f1b", "zb-v", "dualpipe-v"})
    compare(schedule, {.workers = 2, .micro_batches = 8});
}

TEST_CASE("so do schedules without a flush") {
  compare("wpipe", {.workers = 2, .micro_batches = 8, .period = 2}, 2);
  compare("pipedream-2bw", {.workers = 3, .micro_batches = 9, .period = 3}, 2);
  compare("pipedream", {.workers = 3, .micro_batches = 7}, 3);
}

TEST_CASE("so do the first and the last device of the machine, which may be the same, captured too") {
  int devices = 0;
  cudaGetDeviceCount(&devices);
  std::vector<weir::CudaExecutor> const ends{weir::CudaExecutor({.device = 0}),
                                             weir::CudaExecutor({.device = devices - 1})};
  using Transport = weir::PeerTransport<weir::CudaExecutor>;
  for (char const* schedule : {"1f1b", "zb-v", "interleaved-1f1b"}) {
    CAPTURE(schedule);
    weir::ScheduleShape const shape{.workers = 2, .micro_batches = 8};
    auto const expected = train(weir::HostExecutor(), schedule, shape, 1, false);
    for (bool const is_captured : {false, true})
      CHECK(oracle::same(train(ends[0], schedule, shape, 1, is_captured, Transport(ends)), expected));
  }
  weir::ScheduleShape const wpipe{.workers = 2, .micro_batches = 8, .period = 2};
  CHECK(oracle::same(train(ends[0], "wpipe", wpipe, 2, false, Transport(ends)),
                     train(weir::HostExecutor(), "wpipe", wpipe, 2, false)));
}
