#include "weir/cuda/check.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/cuda/clean_session.hpp"

TEST_CASE("success is no error") {
  CHECK_NOTHROW(weir::check_cuda(cudaSuccess, "cudaMalloc"));
}

TEST_CASE("an error names the call, the code and the place") {
  auto const line = static_cast<unsigned>(__LINE__);
  try {
    weir::check_cuda(cudaErrorInvalidResourceHandle, "cudaEventRecord");
    FAIL("nothing was thrown");
  } catch (weir::CudaError const& error) {
    CHECK(error.code() == cudaErrorInvalidResourceHandle);
    std::string const text = error.what();
    CHECK(text.find("cudaEventRecord: cudaErrorInvalidResourceHandle, ") == 0);
    CHECK(text.find("(check.test.cpp:" + std::to_string(line + 2) + ")") != std::string::npos);
  }
}

TEST_CASE("an error that was told is not told again by CUDA") {
  CleanSession session;
  session.fail("cudaGetDevice", 1, cudaErrorInitializationError);
  int device = 0;
  CHECK_THROWS_AS(weir::check_cuda(cudaGetDevice(&device), "cudaGetDevice"), weir::CudaError);
  CHECK(cudaPeekAtLastError() == cudaSuccess);
}
