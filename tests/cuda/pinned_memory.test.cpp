#include "weir/cuda/pinned_memory.hpp"

#include <doctest/doctest.h>

#include <type_traits>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/verbs.hpp"
#include "weir/tensor/buffer.hpp"

TEST_CASE("pinned memory is memory of the host, and a copy from it does not hold up the caller") {
  CleanSession session;
  {
    weir::Buffer<float, weir::PinnedMemory> const pinned(weir::PinnedMemory{}, 8);
    static_assert(std::is_same_v<decltype(pinned.view()), weir::TensorView<float, weir::HostSpace>>);
    for (std::size_t i = 0; i < pinned.size(); ++i) pinned.data()[i] = static_cast<float>(i);
    weir::CudaExecutor const executor;
    weir::Buffer<float, weir::CudaExecutor> const device(executor, 8);
    copy_from_host(executor, pinned.data(), device.data(), 32);
    add_scaled(executor, device.view(), 1.0f, device.view());
    copy_to_host(executor, device.data(), pinned.data(), 32);
    CHECK(session.pageable_copies() == 0);
    CHECK(pinned.data()[3] == 3.0f);
    executor.synchronize();
    CHECK(pinned.data()[3] == 6.0f);
  }
  CHECK(session.inventory().allocations == 0);
}

TEST_CASE("nothing is no memory") {
  CleanSession session;
  weir::PinnedMemory const source;
  CHECK(source.allocate(0) == nullptr);
  source.deallocate(nullptr, 0);
  CHECK(session.calls().empty());
}

TEST_CASE("too little pinned memory is OutOfMemory, another failure a CudaError") {
  CleanSession session;
  weir::PinnedMemory const source;
  session.fail("cudaHostAlloc", 1, cudaErrorMemoryAllocation);
  try {
    source.allocate(77);
    FAIL("nothing was thrown");
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() == 77);
  }
  CHECK(cudaPeekAtLastError() == cudaSuccess);
  session.fail("cudaHostAlloc", 1, cudaErrorNotSupported);
  CHECK_THROWS_AS(source.allocate(77), weir::CudaError);
}
