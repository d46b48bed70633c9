#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include "weir/tensor/view.hpp"

namespace weir_sparsify {

/// Memory as vector loops like it, which has no value until it is given one, so that no more of it is taken
/// from the system than is used.
template <class Element>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t size)
      : memory_(::operator new (size * sizeof(Element), std::align_val_t{alignment})), size_(size) {}

  static AlignedArray zeros(std::size_t size) {
    AlignedArray array(size);
    std::memset(array.memory_.get(), 0, size * sizeof(Element));
    return array;
  }

  Element* data() const { return static_cast<Element*>(memory_.get()); }
  std::size_t size() const { return size_; }
  weir::TensorView<Element, weir::HostSpace> view() const { return {data(), size_}; }

 private:
  static constexpr std::size_t alignment = 64;
  struct Release {
    void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{alignment}); }
  };

  std::unique_ptr<void, Release> memory_;
  std::size_t size_ = 0;
};

}  // namespace weir_sparsify
