#pragma once

#include <algorithm>
#include <cstddef>

#include "weir/cuda/device_memory.hpp"

namespace weir_train {

/// Memory of a device, with the bytes that are held now and were held at most. From one thread at a time.
class CountingDeviceMemory final : public weir::CudaMemoryResource {
 public:
  std::size_t peak() const { return peak_; }

  void* allocate(std::size_t bytes, cudaStream_t stream) override {
    void* const memory = memory_.allocate(bytes, stream);
    held_ += bytes;
    peak_ = std::max(peak_, held_);
    return memory;
  }

  void deallocate(void* memory, std::size_t bytes, cudaStream_t stream) noexcept override {
    held_ -= bytes;
    memory_.deallocate(memory, bytes, stream);
  }

 private:
  weir::DeviceMemory memory_;
  std::size_t held_ = 0;
  std::size_t peak_ = 0;
};

}  // namespace weir_train
