#include "weir/cuda/pooled_memory.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/verbs.hpp"
#include "weir/tensor/buffer.hpp"

TEST_CASE("pooled memory comes and goes in stream order, and nothing waits") {
  CleanSession session;
  weir::PooledMemory pool;
  {
    weir::CudaExecutor const executor({.memory = &pool});
    auto const before = session.calls();
    {
      weir::Buffer<float, weir::CudaExecutor> const memory(executor, 64);
      set_zero(executor, memory.view());
      CHECK(session.inventory().bytes >= 64 * sizeof(float));
    }
    auto const calls = stand_in::calls_between(before, session.calls());
    CHECK(calls.at("cudaMallocAsync") == 1);
    CHECK(calls.at("cudaFreeAsync") == 1);
    CHECK(calls.count("cudaMalloc") == 0);
    CHECK(calls.count("cudaStreamSynchronize") == 0);
  }
}

TEST_CASE("a pool of the caller's is used") {
  CleanSession session;
  int here = 0;
  weir::PooledMemory source(reinterpret_cast<cudaMemPool_t>(&here));
  weir::CudaStream const stream(0);
  void* const memory = source.allocate(10, stream.handle());
  CHECK(session.calls().at("cudaMallocFromPoolAsync") == 1);
  source.deallocate(memory, 10, stream.handle());
}

TEST_CASE("too little memory is OutOfMemory, another failure a CudaError") {
  CleanSession session({.device_bytes = 1000});
  weir::PooledMemory source;
  weir::CudaStream const stream(0);
  try {
    source.allocate(1001, stream.handle());
    FAIL("nothing was thrown");
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() == 1001);
  }
  CHECK(cudaPeekAtLastError() == cudaSuccess);
  session.fail("cudaMallocAsync", 1, cudaErrorNotSupported);
  CHECK_THROWS_AS(source.allocate(1, stream.handle()), weir::CudaError);
}
