#include "weir/cuda/stream.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

#include "support/cuda/clean_session.hpp"

static_assert(!std::is_copy_constructible_v<weir::CudaStream>);
static_assert(std::is_nothrow_move_constructible_v<weir::CudaStream>);

TEST_CASE("a stream is made on its device, does not wait for the default stream, and is destroyed once") {
  CleanSession session({.devices = 2});
  {
    weir::CudaStream const stream(1, -2);
    CHECK(weir::current_device() == 0);
    int device = -1;
    unsigned flags = 0;
    int priority = 0;
    REQUIRE(cudaStreamGetDevice(stream.handle(), &device) == cudaSuccess);
    REQUIRE(cudaStreamGetFlags(stream.handle(), &flags) == cudaSuccess);
    REQUIRE(cudaStreamGetPriority(stream.handle(), &priority) == cudaSuccess);
    CHECK(device == 1);
    CHECK(flags == cudaStreamNonBlocking);
    CHECK(priority == -2);
    CHECK(session.inventory().streams == 1);
  }
  CHECK(session.inventory().streams == 0);
}

TEST_CASE("moving a stream moves the ownership") {
  CleanSession session;
  weir::CudaStream first(0);
  cudaStream_t const handle = first.handle();
  weir::CudaStream second(std::move(first));
  CHECK(second.handle() == handle);
  CHECK(session.inventory().streams == 1);

  weir::CudaStream third(0);
  cudaStream_t const other = third.handle();
  third = std::move(second);
  CHECK(third.handle() == handle);
  CHECK(third.handle() != other);
  CHECK(session.inventory().streams == 1);
}

TEST_CASE("a stream that cannot be made leaves nothing, and the device as it was") {
  CleanSession session({.devices = 2});
  session.fail("cudaStreamCreateWithPriority", 1, cudaErrorMemoryAllocation);
  CHECK_THROWS_AS(weir::CudaStream(1), weir::CudaError);
  CHECK(session.inventory().streams == 0);
  CHECK(weir::current_device() == 0);
}

TEST_CASE("work that is pending when its stream is destroyed still runs") {
  CleanSession session;
  bool has_run = false;
  {
    weir::CudaStream const stream(0);
    REQUIRE(stand_in::launch(stream.handle(), "a kernel", {}, [&] { has_run = true; }) == cudaSuccess);
  }
  CHECK(!has_run);
  session.run_all();
  CHECK(has_run);
}

TEST_CASE("a stream outlives a reset of its device, or the driver, without harm") {
  CleanSession session;
  {
    weir::CudaStream const stream(0);
    CHECK(cudaDeviceReset() == cudaSuccess);
  }
  {
    weir::CudaStream const stream(0);
    session.set_driver(stand_in::Driver::unloading);
  }
  session.set_driver(stand_in::Driver::present);
  CHECK(cudaDeviceReset() == cudaSuccess);
}
