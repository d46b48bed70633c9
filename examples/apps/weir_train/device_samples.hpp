#pragma once

#include <cstddef>
#include <cstdint>

namespace weir_train {

/// Which samples: indices in device memory. A batch as `StreamWorkerPool` takes it.
class DeviceSamples {
 public:
  DeviceSamples(std::uint32_t const* indices, std::size_t size) : indices_(indices), size_(size) {}

  std::uint32_t const* indices() const { return indices_; }
  std::size_t size() const { return size_; }
  DeviceSamples subspan(std::size_t offset, std::size_t count) const { return {indices_ + offset, count}; }

 private:
  std::uint32_t const* indices_;
  std::size_t size_;
};

}  // namespace weir_train
