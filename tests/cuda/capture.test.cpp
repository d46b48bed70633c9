#include "weir/cuda/capture.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/cuda/clean_session.hpp"
#include "weir/cuda/stream.hpp"

TEST_CASE("a stream is under capture from its begin to its end") {
  CleanSession const session;
  weir::CudaStream const stream(0);
  CHECK(!weir::is_capturing(stream.handle()));
  CHECK_NOTHROW(weir::refuse_capture(stream.handle(), "synchronize"));
  REQUIRE(cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeRelaxed) == cudaSuccess);
  CHECK(weir::is_capturing(stream.handle()));
  try {
    weir::refuse_capture(stream.handle(), "synchronize");
    FAIL("nothing was thrown");
  } catch (weir::NotCapturable const& error) {
    CHECK(std::string(error.what()).find("synchronize cannot be captured") == 0);
  }
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamEndCapture(stream.handle(), &graph) == cudaSuccess);  // asking did no harm
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(!weir::is_capturing(stream.handle()));
}

TEST_CASE("a capture that has gone wrong is one still") {
  CleanSession const session;
  weir::CudaStream const stream(0);
  REQUIRE(cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeRelaxed) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream.handle()) == cudaErrorStreamCaptureUnsupported);
  CHECK(weir::is_capturing(stream.handle()));
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream.handle(), &graph) == cudaErrorStreamCaptureInvalidated);
  CHECK(graph == nullptr);
}

TEST_CASE("a call that fails is a CudaError") {
  CleanSession session;
  weir::CudaStream const stream(0);
  session.fail("cudaStreamIsCapturing", 1, cudaErrorLaunchFailure);
  CHECK_THROWS_AS(weir::is_capturing(stream.handle()), weir::CudaError);
}
