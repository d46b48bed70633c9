#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

/// Whether pointers reach a multiple of 16 bytes after the same number of elements.
class CommonAlignment {
 public:
  /// The array with the smallest elements.
  template <class Element>
  explicit CommonAlignment(Element const* narrowest)
      : head_((16 - address(narrowest) % 16) % 16 / sizeof(Element)) {}

  /// Null is always aligned.
  template <class Element>
  void include(Element const* other) {
    if (other != nullptr && address(other + head_) % 16 != 0) exists_ = false;
  }

  bool exists() const { return exists_; }

  /// Elements before the first multiple, at least.
  std::size_t head() const { return head_; }

 private:
  static std::uintptr_t address(void const* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

  std::size_t head_;
  bool exists_ = true;
};

/// A vector in three parts: a head of less than a pack, packs of `width` elements, and a tail.
struct Partition {
  std::size_t head;
  std::size_t packs;
  std::size_t tail;

  /// Packs of one element need no head.
  static Partition of(std::size_t size, std::size_t width, std::size_t head) {
    if (size < head) return {size, 0, 0};
    return {head, (size - head) / width, (size - head) % width};
  }
};

}  // namespace detail
}  // namespace weir::inline v1
