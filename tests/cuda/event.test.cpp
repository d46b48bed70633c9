#include "weir/cuda/event.hpp"

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

#include "support/cuda/clean_session.hpp"
#include "weir/cuda/stream.hpp"

static_assert(!std::is_copy_constructible_v<weir::CudaEvent>);
static_assert(std::is_nothrow_move_constructible_v<weir::CudaEvent>);
static_assert(std::is_nothrow_move_assignable_v<weir::CudaEvent>);

TEST_CASE("an event is made on its device, without timing, and destroyed once") {
  CleanSession session({.devices = 2});
  {
    weir::CudaEvent const event(1);
    weir::CudaStream const stream(1);
    CHECK(session.inventory().events == 1);
    REQUIRE(cudaEventRecord(event.handle(), stream.handle()) == cudaSuccess);
    REQUIRE(cudaEventSynchronize(event.handle()) == cudaSuccess);
    float time = 0;
    CHECK(cudaEventElapsedTime(&time, event.handle(), event.handle()) == cudaErrorInvalidResourceHandle);
    CHECK(weir::current_device() == 0);
  }
  CHECK(session.inventory().events == 0);
}

TEST_CASE("a borrowed event stays the caller's") {
  CleanSession session;
  cudaEvent_t handle = nullptr;
  REQUIRE(cudaEventCreateWithFlags(&handle, cudaEventDisableTiming) == cudaSuccess);
  {
    weir::CudaEvent borrowed = weir::CudaEvent::borrow(handle);
    CHECK(borrowed.handle() == handle);
    weir::CudaEvent const moved(std::move(borrowed));
    CHECK(moved.handle() == handle);
  }
  CHECK(session.inventory().events == 1);
  CHECK(cudaEventDestroy(handle) == cudaSuccess);
}

TEST_CASE("moving an event moves the ownership, also onto a borrowed one") {
  CleanSession session;
  weir::CudaEvent mine(0);
  cudaEvent_t const handle = mine.handle();
  {
    weir::CudaEvent other(0);
    other = std::move(mine);
    CHECK(other.handle() == handle);
    CHECK(session.inventory().events == 1);
    mine = std::move(other);
  }
  CHECK(mine.handle() == handle);
  CHECK(session.inventory().events == 1);

  weir::CudaEvent borrowed = weir::CudaEvent::borrow(handle);
  borrowed = weir::CudaEvent(0);
  CHECK(session.inventory().events == 2);
  CHECK(borrowed.handle() != handle);
}

TEST_CASE("an event that cannot be made leaves nothing") {
  CleanSession session;
  session.fail("cudaEventCreateWithFlags", 1, cudaErrorMemoryAllocation);
  CHECK_THROWS_AS(weir::CudaEvent(0), weir::CudaError);
}

TEST_CASE("an event that is destroyed while it is pending has no effect on who waits for it") {
  CleanSession session;
  weir::CudaStream const first(0);
  weir::CudaStream const second(0);
  int order = 0;
  int first_was = 0;
  int second_was = 0;
  {
    weir::CudaEvent const event(0);
    REQUIRE(stand_in::launch(first.handle(), "first", {}, [&] { first_was = ++order; }) == cudaSuccess);
    REQUIRE(cudaEventRecord(event.handle(), first.handle()) == cudaSuccess);
    REQUIRE(cudaStreamWaitEvent(second.handle(), event.handle(), 0) == cudaSuccess);
    REQUIRE(stand_in::launch(second.handle(), "second", {}, [&] { second_was = ++order; }) == cudaSuccess);
  }
  session.run_all();
  CHECK(first_was == 1);
  CHECK(second_was == 2);
}

TEST_CASE("an event outlives a reset of its device, or the driver, without harm") {
  CleanSession session;
  {
    weir::CudaEvent const event(0);
    CHECK(cudaDeviceReset() == cudaSuccess);
  }
  {
    weir::CudaEvent const event(0);
    session.set_driver(stand_in::Driver::unloading);
  }
  session.set_driver(stand_in::Driver::present);
  CHECK(cudaDeviceReset() == cudaSuccess);
}
