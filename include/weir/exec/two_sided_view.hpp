#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// A vector that a step replaces as a whole or leaves bit for bit as it was, which is decided where the
/// kernels run: two memories, and a word in the executor's memory that says which of them is valid.
///
/// Both sides may be the same memory where a step never has to be undone.
template <class Element, class Space>
class TwoSidedView {
 public:
  using element_type = Element;
  using memory_space = Space;

  constexpr TwoSidedView() = default;
  WEIR_HOST_DEVICE constexpr TwoSidedView(Element* first, Element* second, std::size_t size,
                                          std::uint32_t const* side)
      : sides_{first, second}, size_(size), side_(side) {}

  WEIR_HOST_DEVICE constexpr std::size_t size() const { return size_; }
  WEIR_HOST_DEVICE constexpr bool empty() const { return size_ == 0; }
  WEIR_HOST_DEVICE constexpr Element* side(unsigned number) const { return sides_[number & 1u]; }
  WEIR_HOST_DEVICE constexpr std::uint32_t const* side_word() const { return side_; }

  /// The valid one, and the other. Reads the executor's memory.
  WEIR_HOST_DEVICE Element* current() const { return sides_[*side_ & 1u]; }
  WEIR_HOST_DEVICE Element* other() const { return sides_[~*side_ & 1u]; }

 private:
  Element* sides_[2] = {nullptr, nullptr};
  std::size_t size_ = 0;
  std::uint32_t const* side_ = nullptr;
};

}  // namespace weir::inline v1
