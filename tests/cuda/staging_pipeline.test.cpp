#include "weir/cuda/staging_pipeline.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <numeric>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/on_device.hpp"
#include "weir/cuda/pinned_memory.hpp"

using weir::CudaExecutor;
using Pipeline = weir::detail::StagingPipeline<weir::PinnedMemory>;

namespace {

/// Adds `number` to each of `chunks` groups of eight integers.
void add(Pipeline& pipeline, CudaExecutor const& executor, int* data, std::size_t chunks, int number) {
  pipeline.run(
      executor.stream(), chunks,
      [&](std::size_t chunk, std::byte* slot, cudaStream_t down) {
        cudaMemcpyAsync(slot, data + 8 * chunk, 32, cudaMemcpyDeviceToHost, down);
      },
      [&](std::size_t, std::byte* slot) {
        for (std::size_t i = 0; i < 8; ++i) reinterpret_cast<int*>(slot)[i] += number;
      },
      [&](std::size_t chunk, std::byte const* slot, cudaStream_t up) {
        cudaMemcpyAsync(data + 8 * chunk, slot, 32, cudaMemcpyHostToDevice, up);
      });
}

}  // namespace

TEST_CASE("every chunk goes down, is worked on and comes back, in whatever order the streams run") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    for (std::size_t const chunks : {0u, 1u, 2u, 3u, 4u, 11u}) {
      CleanSession session({.seed = seed});
      CudaExecutor const executor;
      Pipeline pipeline(0, weir::PinnedMemory{}, 32);
      std::vector<int> numbers(8 * chunks);
      std::iota(numbers.begin(), numbers.end(), 0);
      OnDevice const data(executor, numbers);
      add(pipeline, executor, data.view().data(), chunks, 5);
      add(pipeline, executor, data.view().data(), chunks, 7);
      for (int& number : numbers) number += 12;
      CHECK(data.content() == numbers);
    }
  }
}

TEST_CASE("slots grow, and only grow") {
  CleanSession session;
  Pipeline pipeline(0, weir::PinnedMemory{}, 32);
  CHECK(session.inventory().bytes == 96);
  pipeline.grow(64);
  CHECK(session.inventory().bytes == 192);
  pipeline.grow(33);
  CHECK(session.inventory().bytes == 192);
  session.fail("cudaHostAlloc", 3, cudaErrorMemoryAllocation);
  CHECK_THROWS_AS(pipeline.grow(128), weir::OutOfMemory);
  CHECK(session.inventory().bytes == 192);
}

TEST_CASE("work that throws leaves nothing behind but copies that end") {
  CleanSession session;
  CudaExecutor const executor;
  OnDevice const data(executor, std::vector<int>(80));
  Pipeline pipeline(0, weir::PinnedMemory{}, 32);
  auto const nothing = [](std::size_t, std::byte const*, cudaStream_t) {};
  CHECK_THROWS_AS(pipeline.run(
                      executor.stream(), 10,
                      [&](std::size_t chunk, std::byte* slot, cudaStream_t down) {
                        cudaMemcpyAsync(slot, data.view().data() + 8 * chunk, 32, cudaMemcpyDeviceToHost,
                                        down);
                      },
                      [](std::size_t chunk, std::byte*) {
                        if (chunk == 4) throw 1;
                      },
                      nothing),
                  int);
}
