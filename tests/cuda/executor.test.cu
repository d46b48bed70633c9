// Executors, memory, events and their errors against the driver itself.
#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/cuda/on_device.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using weir::Buffer;
using weir::CudaExecutor;

template <class Call>
std::string refusal(Call const& call) {
  try {
    call();
  } catch (weir::ContractViolation const& violation) {
    return violation.what();
  }
  return "nothing was thrown";
}

int devices() {
  int count = 0;
  cudaGetDeviceCount(&count);
  return count;
}

std::size_t free_bytes() {
  std::size_t free = 0, all = 0;
  REQUIRE(cudaMemGetInfo(&free, &all) == cudaSuccess);
  return free;
}

/// What the driver may keep of small blocks that were given back.
constexpr std::size_t slack = std::size_t{16} << 20;

/// More than any device has.
constexpr std::size_t too_much = std::size_t{1} << 44;

/// Fills, adds and reads back; `executor` takes its memory from anywhere.
void check_works(CudaExecutor const& executor) {
  std::size_t const size = 100'003;
  Buffer<float, CudaExecutor> const memory(executor, size);
  fill(executor, memory.view(), 1.5f);
  CudaExecutor const other = executor.fork();
  auto const event = executor.make_event();
  executor.record(event);
  other.wait(event);
  Buffer<float, CudaExecutor> const sum(other, size);
  fill(other, sum.view(), 1.0f);
  add_scaled(other, memory.view(), 2.0f, sum.view());
  other.record(event);
  executor.wait(event);
  CHECK(weir::to_host(executor, sum.view()) == std::vector<float>(size, 4.0f));
  CHECK(executor.reached(event));
}

}  // namespace

TEST_CASE("a stream of its own, the caller's, launch threads: all order their work by events") {
  check_works(CudaExecutor());
  check_works(CudaExecutor({.launch_thread = true}));
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  for (bool const launch_thread : {false, true})
    check_works(CudaExecutor(stream, {.launch_thread = launch_thread}));
  CHECK(cudaStreamQuery(stream) == cudaSuccess);  // it is still there
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("memory from a pool, and pinned memory of the host") {
  weir::PooledMemory pool;
  check_works(CudaExecutor({.memory = &pool}));

  CudaExecutor const executor;
  std::size_t const size = 1'000'003;
  Buffer<float, weir::PinnedMemory> const pinned(weir::PinnedMemory(), size);
  Buffer<float, weir::PinnedMemory> const back(weir::PinnedMemory(), size);
  for (std::size_t i = 0; i < size; ++i) pinned.data()[i] = static_cast<float>(i);
  Buffer<float, CudaExecutor> const memory(executor, size);
  copy_from_host(executor, pinned.data(), memory.data(), size * sizeof(float));
  copy_to_host(executor, memory.data(), back.data(), size * sizeof(float));
  executor.synchronize();
  CHECK(std::vector(back.data(), back.data() + size) == std::vector(pinned.data(), pinned.data() + size));
}

TEST_CASE("memory that cannot be had: OutOfMemory with the bytes, and everything as before") {
  weir::PooledMemory pool;
  for (weir::CudaMemoryResource* const memory :
       {static_cast<weir::CudaMemoryResource*>(nullptr), static_cast<weir::CudaMemoryResource*>(&pool)}) {
    CudaExecutor const executor({.memory = memory});
    std::size_t const before = free_bytes();
    try {
      executor.allocate(too_much);
      FAIL_CHECK("nothing was thrown");
    } catch (weir::OutOfMemory const& error) {
      CHECK(error.bytes() == too_much);
    }
    CHECK(free_bytes() + slack >= before);
    CHECK(cudaGetLastError() == cudaSuccess);
    check_works(executor);
  }
}

TEST_CASE("a recipe that cannot have its memory leaves nothing, and can be bound when there is room") {
  if (small_cases_only()) return;  // the tool that watches needs room of its own
  CudaExecutor const executor;
  std::size_t const size = 25'000'000;
  Buffer<float, CudaExecutor> const weights(executor, size);
  fill(executor, weights.view(), 0.25f);
  executor.synchronize();
  std::vector<int> const batch(4);
  auto const model = [](auto& micro) { fill(micro.executor(), micro.gradient(0), 1.0f); };
  auto const train = [&] {
    weir::StreamWorkerPool<CudaExecutor> workers(
        executor, {.workers = 4, .buckets = weir::BucketPlan::by_bytes({size * sizeof(float)})});
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125}}).on(workers, weights.view());
    sync(workers(std::span<int const>(batch), model));
    sync.wait();
  };
  train();  // kernels are loaded when they are first launched, and take memory
  std::size_t const room = free_bytes();
  {
    Buffer<std::byte, CudaExecutor> const others(executor, room - (std::size_t{256} << 20));
    std::size_t const left = free_bytes();
    CHECK_THROWS_AS(train(), weir::OutOfMemory);
    CHECK(free_bytes() + slack >= left);
    CHECK(weir::to_host(executor, weights.view().part(0, 100)) == std::vector<float>(100, 0.125f));
  }
  train();
  CHECK(weir::to_host(executor, weights.view().part(0, 100)) == std::vector<float>(100, 0.0f));
  CHECK(free_bytes() + slack >= room);
}

TEST_CASE("weights in memory of the host are refused by name, whatever the view says") {
  CudaExecutor const executor;
  weir::StreamWorkerPool<CudaExecutor> workers(
      executor, {.workers = 1, .buckets = weir::BucketPlan::by_bytes({100 * sizeof(float)})});
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}};
  std::vector<float> pageable(100);
  Buffer<float, weir::PinnedMemory> const pinned(weir::PinnedMemory(), 100);
  for (float* const memory : {pageable.data(), pinned.data()}) {
    auto const text = refusal([&] { recipe.on(workers, weir::view<weir::DeviceSpace>(memory, 100)); });
    CHECK_MESSAGE(text.find("lie in host memory") != std::string::npos, text);
  }
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("a stream under capture refuses what cannot be captured, and the capture goes on") {
  CudaExecutor const executor;
  Buffer<float, CudaExecutor> const memory(executor, 1'000);
  auto const graph = weir::CudaGraph::capture(executor, [&] {
    CHECK_THROWS_AS(executor.synchronize(), weir::NotCapturable);
    CHECK_THROWS_AS(executor.allocate(16), weir::NotCapturable);
    CHECK_THROWS_AS(CudaExecutor(executor.stream()), weir::NotCapturable);
    float host = 0;
    CHECK_THROWS_AS(copy_to_host(executor, memory.data(), &host, sizeof host), weir::NotCapturable);
    CHECK_THROWS_AS((void)weir::CudaGraph::capture(executor, [] {}), weir::NotCapturable);
    fill(executor, memory.view(), 3.0f);
  });
  set_zero(executor, memory.view());
  graph.replay();
  CHECK(weir::to_host(executor, memory.view()) == std::vector<float>(1'000, 3.0f));
}

TEST_CASE("a device that does not exist is a CudaError that says so") {
  try {
    CudaExecutor const executor({.device = devices()});
    FAIL_CHECK("nothing was thrown");
  } catch (weir::CudaError const& error) {
    CHECK(error.code() == cudaErrorInvalidDevice);
  }
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("a stream of another device is refused, with both named" * doctest::skip(devices() < 2)) {
  CudaExecutor const first;
  auto const text = refusal([&] { CudaExecutor(first.stream(), {.device = 1}); });
  CHECK_MESSAGE(text.find("belongs to device 0, the executor to device 1") != std::string::npos, text);
  OnDevice const weights(first, std::vector<float>(10));
  CHECK_THROWS_AS(CudaExecutor({.device = 1}).check_memory(weights.view().data(), "the weights"),
                  weir::ContractViolation);
  for (int device = 0; device < devices(); ++device) check_works(CudaExecutor({.device = device}));
}
