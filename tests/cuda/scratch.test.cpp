#include "weir/cuda/scratch.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <type_traits>

#include "support/cuda/clean_session.hpp"
#include "weir/cuda/device_memory.hpp"
#include "weir/cuda/stream.hpp"

static_assert(!std::is_copy_constructible_v<weir::CudaScratch>);

TEST_CASE("a stream's scratch is aligned, its counter is 0, and it is given back") {
  CleanSession session({.devices = 2});
  weir::DeviceMemory source;
  weir::CudaStream const stream(1);
  {
    weir::CudaScratch const scratch(1, source, stream.handle());
    CHECK(weir::current_device() == 0);
    CHECK(session.inventory().allocations == 1);
    CHECK(session.inventory().bytes >= weir::CudaScratch::bytes + sizeof(unsigned));
    CHECK(reinterpret_cast<std::uintptr_t>(scratch.memory()) % 256 == 0);
    REQUIRE(cudaStreamSynchronize(stream.handle()) == cudaSuccess);
    CHECK(*scratch.counter() == 0);
    CHECK(session.default_stream_operations() == 0);
  }
  CHECK(session.inventory().allocations == 0);
}

TEST_CASE("scratch that cannot be had is OutOfMemory, and leaves nothing") {
  CleanSession const session({.device_bytes = 100});
  weir::DeviceMemory source;
  weir::CudaStream const stream(0);
  try {
    weir::CudaScratch(0, source, stream.handle());
    FAIL("nothing was thrown");
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() >= weir::CudaScratch::bytes);
  }
}

TEST_CASE("scratch that cannot be cleared is a CudaError, and leaves nothing") {
  CleanSession session;
  weir::DeviceMemory source;
  weir::CudaStream const stream(0);
  session.fail("cudaMemsetAsync", 1, cudaErrorUnknown);
  CHECK_THROWS_AS(weir::CudaScratch(0, source, stream.handle()), weir::CudaError);
  CHECK(session.inventory().allocations == 0);
}

TEST_CASE("scratch is refused by name on a stream under capture") {
  CleanSession const session;
  weir::DeviceMemory source;
  weir::CudaStream const stream(0);
  REQUIRE(cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeRelaxed) == cudaSuccess);
  CHECK_THROWS_AS(weir::CudaScratch(0, source, stream.handle()), weir::NotCapturable);
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamEndCapture(stream.handle(), &graph) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
}
