#pragma once

#include <cstddef>
#include <limits>
#include <utility>

#include "weir/core/error.hpp"
#include "weir/tensor/concepts.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// Uninitialised memory from an executor, given back on destruction.
///
/// Streams: whoever destroys it has made sure that no enqueued work uses it any more.
/// Errors: `OutOfMemory`, with nothing changed.
template <class Element, MemorySource Source>
class Buffer {
 public:
  Buffer(Source const& source, std::size_t size) : source_(source), data_(take(source, size)), size_(size) {}

  Buffer(Buffer&& other) noexcept
      : source_(other.source_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}

  Buffer& operator=(Buffer other) noexcept {
    std::swap(source_, other.source_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  ~Buffer() {
    if (data_ != nullptr) source_.deallocate(data_, size_ * sizeof(Element));
  }

  std::size_t size() const { return size_; }
  Element* data() const { return data_; }
  TensorView<Element, typename Source::memory_space> view() const { return {data_, size_}; }

 private:
  static Element* take(Source const& source, std::size_t size) {
    if (size == 0) return nullptr;
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(Element))
      throw OutOfMemory(std::numeric_limits<std::size_t>::max());
    return static_cast<Element*>(source.allocate(size * sizeof(Element)));
  }

  Source source_;
  Element* data_;
  std::size_t size_;
};

}  // namespace weir::inline v1
