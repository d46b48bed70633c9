#include "weir/cuda/device_memory.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "support/cuda/clean_session.hpp"

TEST_CASE("device memory is aligned, is the device's, and is given back") {
  CleanSession session;
  weir::DeviceMemory source;
  void* const memory = source.allocate(100, nullptr);
  CHECK(reinterpret_cast<std::uintptr_t>(memory) % 256 == 0);
  cudaPointerAttributes attributes{};
  REQUIRE(cudaPointerGetAttributes(&attributes, memory) == cudaSuccess);
  CHECK(attributes.type == cudaMemoryTypeDevice);
  CHECK(session.inventory().bytes == 100);
  source.deallocate(memory, 100, nullptr);
  CHECK(session.inventory().bytes == 0);
}

TEST_CASE("too little memory is OutOfMemory with the bytes that were asked for") {
  CleanSession const session({.device_bytes = 1000});
  weir::DeviceMemory source;
  void* const memory = source.allocate(600, nullptr);
  try {
    source.allocate(401, nullptr);
    FAIL("nothing was thrown");
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() == 401);
  }
  CHECK(cudaPeekAtLastError() == cudaSuccess);
  source.deallocate(memory, 600, nullptr);
}

TEST_CASE("another failure is a CudaError that names the call") {
  CleanSession session;
  session.fail("cudaMalloc", 1, cudaErrorLaunchFailure);
  weir::DeviceMemory source;
  try {
    source.allocate(1, nullptr);
    FAIL("nothing was thrown");
  } catch (weir::CudaError const& error) {
    CHECK(error.code() == cudaErrorLaunchFailure);
    CHECK(std::string(error.what()).find("cudaMalloc: cudaErrorLaunchFailure") == 0);
  }
}
