#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/exec/host_copy.hpp"

namespace bench {

template <class Element>
using Memory = weir::Buffer<Element, weir::CudaExecutor>;

template <class Element>
Memory<Element> random(weir::CudaExecutor const& executor, std::size_t size, unsigned seed) {
  Memory<Element> memory(executor, size);
  fill_random(executor.stream(), memory.data(), size, seed);
  return memory;
}

template <class Element>
Memory<Element> on_device(weir::CudaExecutor const& executor, std::vector<Element> const& content) {
  Memory<Element> memory(executor, content.size());
  weir::from_host(executor, std::span<Element const>(content), memory.view());
  return memory;
}

/// As many of an array as the L2 does not keep between two turns.
template <class Element>
class Rotating {
 public:
  Rotating(weir::CudaExecutor const& executor, std::size_t size, unsigned seed)
      : size_((size + 127) / 128 * 128),
        sets_(rotation(size_ * sizeof(Element))),
        memory_(random<Element>(executor, sets_ * size_, seed)) {}

  Element* at(std::size_t turn) const { return memory_.data() + turn % sets_ * size_; }

 private:
  std::size_t size_;
  std::size_t sets_;
  Memory<Element> memory_;
};

}  // namespace bench
