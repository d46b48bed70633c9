#pragma once

#include <cstddef>

#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// A `Buffer` that is replaced by a larger one where more is asked for than it has; what it held is lost
/// then.
///
/// Cost: allocates when it grows, by a quarter more than was asked for. Streams and errors: those of
/// `Buffer`.
template <class Element, MemorySource Source>
class GrowingBuffer {
 public:
  explicit GrowingBuffer(Source const& source, std::size_t size = 0)
      : source_(source), buffer_(source, size) {}

  /// At least `size` elements, of which `size` are returned.
  TensorView<Element, typename Source::memory_space> take(std::size_t size) {
    if (size > buffer_.size()) {
      buffer_ = Buffer<Element, Source>(source_, 0);  // the old memory first
      buffer_ = Buffer<Element, Source>(source_, size + size / 4);
    }
    return buffer_.view().part(0, size);
  }

  std::size_t capacity() const { return buffer_.size(); }

 private:
  Source source_;
  Buffer<Element, Source> buffer_;
};

}  // namespace weir::inline v1
