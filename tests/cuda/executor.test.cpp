#include "weir/cuda/executor.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/verbs.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

static_assert(weir::Executor<weir::CudaExecutor> && weir::CapturableExecutor<weir::CudaExecutor>);
static_assert(!weir::HostOrderedExecutor<weir::CudaExecutor>);
static_assert(std::is_same_v<weir::CudaExecutor::memory_space, weir::DeviceSpace>);

namespace {

using Memory = weir::Buffer<float, weir::CudaExecutor>;

struct OwnStream {
  OwnStream() { cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking); }
  ~OwnStream() { cudaStreamDestroy(handle); }
  cudaStream_t handle = nullptr;
};

template <class Error, class Function>
std::string text_of(Function const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("an executor makes a stream, which lives as long as its last copy") {
  CleanSession session({.devices = 2});
  std::vector<weir::CudaExecutor> copies;
  {
    weir::CudaExecutor const executor({.device = 1});
    CHECK(executor.device() == 1);
    copies.push_back(executor);
    CHECK(copies[0].stream() == executor.stream());
    CHECK(session.inventory().streams == 1);
  }
  CHECK(session.inventory().streams == 1);
  weir::CudaExecutor moved(std::move(copies[0]));
  copies.clear();
  CHECK(moved.device() == 1);
  CHECK(session.inventory().streams == 1);
}

TEST_CASE("without a device it is the one that is current") {
  CleanSession const session({.devices = 2});
  weir::DeviceGuard const guard(1);
  CHECK(weir::CudaExecutor().device() == 1);
}

TEST_CASE("a borrowed stream stays the caller's, and a fork of it is a stream of its own") {
  CleanSession session;
  OwnStream const stream;
  {
    weir::CudaExecutor const executor(stream.handle);
    CHECK(executor.stream() == stream.handle);
    weir::CudaExecutor const fork = executor.fork();
    CHECK(fork.stream() != stream.handle);
    CHECK(session.inventory().streams == 2);
  }
  CHECK(session.inventory().streams == 1);
}

TEST_CASE("a stream of another device is refused, with both devices named") {
  CleanSession session({.devices = 2});
  OwnStream const stream;
  auto const text =
      text_of<weir::ContractViolation>([&] { weir::CudaExecutor(stream.handle, {.device = 1}); });
  CHECK(text == "CudaExecutor: the stream belongs to device 0, the executor to device 1");
  CHECK(weir::current_device() == 0);
  CHECK(session.inventory().allocations == 0);
}

TEST_CASE("a fork has the device and the options of its parent") {
  CleanSession const session({.devices = 2});
  weir::CudaExecutor const executor({.device = 1, .launch_thread = true});
  weir::CudaExecutor const fork = executor.fork();
  CHECK(fork.device() == 1);
  std::thread::id of_parent;
  std::thread::id of_fork;
  executor.submit([&] { of_parent = std::this_thread::get_id(); });
  fork.submit([&] { of_fork = std::this_thread::get_id(); });
  executor.stream();
  fork.stream();
  CHECK(of_parent != std::this_thread::get_id());
  CHECK(of_fork != of_parent);
}

TEST_CASE("no driver, no device, no such device: an error with a name, and nothing is left") {
  CleanSession session({.devices = 1});
  session.set_driver(stand_in::Driver::missing);
  CHECK(text_of<weir::CudaError>([] { weir::CudaExecutor(); }).find("cudaErrorInsufficientDriver") !=
        std::string::npos);
  session.set_driver(stand_in::Driver::without_device);
  CHECK(text_of<weir::CudaError>([] { weir::CudaExecutor(); }).find("cudaErrorNoDevice") !=
        std::string::npos);
  session.set_driver(stand_in::Driver::present);
  CHECK(text_of<weir::CudaError>([] { weir::CudaExecutor({.device = 4}); }).find("cudaErrorInvalidDevice") !=
        std::string::npos);
}

TEST_CASE("every call of making an executor may fail, and nothing is left") {
  for (std::size_t nth = 1;; ++nth) {
    CAPTURE(nth);
    CleanSession session({.devices = 2});
    session.fail("", nth, cudaErrorUnknown);
    try {
      weir::CudaExecutor const executor({.device = 1});
      bool const all = !session.has_failed();
      session.fail("", 0, cudaSuccess);
      if (all) break;
    } catch (weir::CudaError const& error) {
      CHECK(error.code() == cudaErrorUnknown);
    }
    REQUIRE(nth < 100);
  }
}

TEST_CASE("record, wait and synchronize order streams") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.seed = seed});
    weir::CudaExecutor const first;
    weir::CudaExecutor const second = first.fork();
    auto const written = first.make_event();
    auto const copied = second.make_event();
    Memory const from(first, 5);
    Memory const to(first, 5);
    second.wait(written);  // never recorded: no wait
    fill(first, from.view(), 2.0f);
    first.record(written);
    second.wait(written);
    copy(second, from.view(), to.view());
    second.record(copied);
    second.synchronize(copied);
    CHECK(second.reached(copied));
    CHECK(to.data()[4] == 2.0f);
    first.wait(copied);
    set_zero(first, from.view());
    first.synchronize();
    CHECK(from.data()[0] == 0.0f);
  }
}

TEST_CASE("an event that is pending is not reached, is at last, and leaves no error behind") {
  CleanSession session;
  weir::CudaExecutor const executor;
  Memory const memory(executor, 1);
  auto const event = executor.make_event();
  CHECK(executor.reached(event));
  for (int i = 0; i < 20; ++i) set_zero(executor, memory.view());
  executor.record(event);
  CHECK(!executor.reached(event));
  CHECK(cudaGetLastError() == cudaSuccess);
  while (!executor.reached(event)) CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("what is submitted is called at once, with the device current") {
  CleanSession const session({.devices = 2});
  weir::CudaExecutor const executor({.device = 1});
  int device = -1;
  cudaStream_t stream = nullptr;
  executor.submit([&](weir::CudaExecutor const& point) {
    device = weir::current_device();
    stream = point.stream();
  });
  CHECK(device == 1);
  CHECK(stream == executor.stream());
  executor.submit([&] { device = 7; });
  CHECK(device == 7);
  CHECK(weir::current_device() == 0);
}

TEST_CASE("every operation works while another device is current") {
  CleanSession const session({.devices = 3});
  weir::CudaExecutor const executor({.device = 2});
  weir::CudaExecutor const other({.device = 1});
  auto const event = executor.make_event();
  Memory const memory(executor, 3);
  fill(executor, memory.view(), 1.0f);
  executor.record(event);
  executor.wait(event);
  other.wait(event);  // of another device
  executor.synchronize(event);
  CHECK(executor.reached(event));
  CHECK(weir::to_host(executor, memory.view()) == std::vector<float>(3, 1.0f));
  executor.fork().synchronize();
  other.synchronize();
  CHECK(weir::current_device() == 0);
}

TEST_CASE("an event of another device cannot be recorded") {
  CleanSession const session({.devices = 2});
  weir::CudaExecutor const executor;
  weir::CudaEvent const event(1);
  CHECK(text_of<weir::CudaError>([&] { executor.record(event); }).find("cudaErrorInvalidResourceHandle") !=
        std::string::npos);
}

TEST_CASE("with a launch thread, what follows comes after what was submitted, and nothing is lost") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CleanSession const session({.devices = 2, .seed = seed});
    weir::CudaExecutor const executor({.device = 1, .launch_thread = true});
    Memory const memory(executor, 4);
    auto const event = executor.make_event();
    auto const view = memory.view();
    executor.submit([view](weir::CudaExecutor const& point) {
      CHECK(weir::current_device() == 0);
      fill(point, view, 1.0f);
    });
    for (int i = 0; i < 100; ++i) {
      executor.submit([view](weir::CudaExecutor const& point) { add_scaled(point, view, 1.0f, view); });
      if (i % 25 == 0) executor.record(event);
      if (i % 25 == 24) fill(executor, view, static_cast<float>(i));
    }
    executor.synchronize();
    CHECK(memory.data()[0] == 99.0f);
  }
}

TEST_CASE("what a launch thread throws is rethrown by the next wait, once") {
  CleanSession const session;
  weir::CudaExecutor const executor({.launch_thread = true});
  executor.submit([] { throw std::runtime_error("no"); });
  CHECK_THROWS_AS(executor.synchronize(), std::runtime_error);
  CHECK_NOTHROW(executor.synchronize());
}

TEST_CASE("memory: none for no bytes, OutOfMemory with the bytes, and the executor goes on") {
  CleanSession session({.device_bytes = 1 << 20});
  weir::CudaExecutor const executor;
  CHECK(executor.allocate(0) == nullptr);
  executor.deallocate(nullptr, 0);
  std::size_t const held = session.inventory().bytes;
  try {
    executor.allocate(2 << 20);
    FAIL("nothing was thrown");
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() == 2 << 20);
  }
  CHECK(session.inventory().bytes == held);
  Memory const memory(executor, 16);
  CHECK(session.inventory().bytes == held + 64);
}

TEST_CASE("under capture synchronize and allocate are refused by name, and the capture goes on") {
  CleanSession const session;
  weir::CudaExecutor const executor;
  Memory const memory(executor, 2);
  auto const event = executor.make_event();
  REQUIRE(cudaStreamBeginCapture(executor.stream(), cudaStreamCaptureModeRelaxed) == cudaSuccess);
  CHECK(executor.is_capturing());
  auto const refused = [](auto const& f) { return text_of<weir::NotCapturable>(f); };
  CHECK(refused([&] { executor.synchronize(); }).find("synchronize cannot be captured") == 0);
  CHECK(refused([&] { executor.synchronize(event); }).find("synchronize cannot be captured") == 0);
  CHECK(refused([&] { executor.allocate(8); }).find("allocating memory cannot be captured") == 0);
  CHECK(refused([&] { weir::CudaExecutor{executor.stream()}; }).find("making a CudaExecutor cannot be") == 0);
  fill(executor, memory.view(), 1.0f);
  executor.record(event);
  executor.wait(event);
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamEndCapture(executor.stream(), &graph) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(!executor.is_capturing());
}

TEST_CASE("every call may fail: a CudaError that names the call, and the executor goes on") {
  CleanSession session;
  weir::CudaExecutor const executor;
  auto const event = executor.make_event();
  auto const fails = [&](char const* function, auto const& f) {
    session.fail(function, 1, cudaErrorUnknown);
    auto const text = text_of<weir::CudaError>(f);
    CHECK(text.find(function) == 0);
    CHECK(text.find(".hpp:") != std::string::npos);
    CHECK(session.has_failed());
    CHECK(cudaGetLastError() == cudaSuccess);
    CHECK_NOTHROW(f());
  };
  fails("cudaEventRecord", [&] { executor.record(event); });
  fails("cudaStreamWaitEvent", [&] { executor.wait(event); });
  fails("cudaEventSynchronize", [&] { executor.synchronize(event); });
  fails("cudaStreamSynchronize", [&] { executor.synchronize(); });
  fails("cudaEventQuery", [&] { (void)executor.reached(event); });
  fails("cudaStreamIsCapturing", [&] { (void)executor.is_capturing(); });
  fails("cudaEventCreateWithFlags", [&] { (void)executor.make_event(); });
  fails("cudaStreamCreateWithPriority", [&] { (void)executor.fork(); });
  fails("cudaGetDevice", [&] { executor.record(event); });
}

TEST_CASE("executors, memory and events outlive a reset of their device, or the driver, without harm") {
  CleanSession session({.devices = 2});
  for (bool const by_reset : {true, false}) {
    for (bool const launch_thread : {true, false}) {
      {
        weir::CudaExecutor const executor({.launch_thread = launch_thread});
        Memory const memory(executor, 8);
        auto const event = executor.make_event();
        set_zero(executor, memory.view());
        executor.record(event);
        if (by_reset) {
          CHECK(cudaDeviceReset() == cudaSuccess);
          CHECK_THROWS_AS(executor.synchronize(), weir::CudaError);
        } else {
          session.set_driver(stand_in::Driver::unloading);
        }
      }
      session.set_driver(stand_in::Driver::present);
      CHECK(cudaDeviceReset() == cudaSuccess);
    }
  }
}

TEST_CASE("executors on several devices do not meet") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CleanSession session({.devices = 4, .seed = seed});
    std::vector<weir::CudaExecutor> executors;
    std::vector<Memory> memory;
    for (int device = 0; device < 4; ++device) {
      executors.emplace_back(weir::CudaOptions{.device = device});
      memory.emplace_back(executors.back(), 10);
    }
    for (int round = 0; round < 5; ++round) {
      for (std::size_t i = 0; i < 4; ++i)
        fill(executors[i], memory[i].view(), static_cast<float>(round) + static_cast<float>(i));
    }
    for (std::size_t i = 0; i < 4; ++i)
      CHECK(weir::to_host(executors[i], memory[i].view())[9] == 4.0f + static_cast<float>(i));
    CHECK(session.default_stream_operations() == 0);
  }
}
