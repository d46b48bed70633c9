#include "weir/cuda/memory_resource.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <map>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/verbs.hpp"
#include "weir/tensor/buffer.hpp"

namespace {

/// Notes what it is asked for.
class NotingMemory final : public weir::CudaMemoryResource {
 public:
  void* allocate(std::size_t bytes, cudaStream_t stream) override {
    device = weir::current_device();
    last_stream = stream;
    void* const memory = weir::DeviceMemory().allocate(bytes, stream);
    held[memory] = bytes;
    return memory;
  }

  void deallocate(void* memory, std::size_t bytes, cudaStream_t stream) noexcept override {
    device = weir::current_device();
    last_stream = stream;
    if (held[memory] == bytes) held.erase(memory);
    weir::DeviceMemory().deallocate(memory, bytes, stream);
  }

  std::map<void*, std::size_t> held;
  int device = -1;
  cudaStream_t last_stream = nullptr;
};

}  // namespace

TEST_CASE("an executor and its forks take memory from the caller's resource, on their device and stream") {
  CleanSession const session({.devices = 2});
  NotingMemory memory;
  {
    weir::CudaExecutor const executor({.device = 1, .memory = &memory});
    weir::CudaExecutor const fork = executor.fork();
    CHECK(&fork.memory() == &memory);
    for (weir::CudaExecutor const& each : {executor, fork}) {
      std::size_t const before = memory.held.size();
      {
        weir::Buffer<double, weir::CudaExecutor> const buffer(each, 3);
        CHECK(memory.held.size() == before + 1);
        CHECK(memory.held.at(buffer.data()) == 24);
        CHECK(memory.last_stream == each.stream());
        CHECK(memory.device == 1);
        memory.device = -1;
      }
      CHECK(memory.held.size() == before);
      CHECK(memory.device == 1);
    }
    CHECK(weir::current_device() == 0);
  }
  CHECK(memory.held.empty());
}
