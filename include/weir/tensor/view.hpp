#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "weir/core/host_device.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {

/// A pointer and a count, with the memory space in the type. Owns nothing; trivially copyable.
template <class Element, class Space>
class TensorView {
 public:
  using element_type = Element;
  using memory_space = Space;

  constexpr TensorView() = default;
  WEIR_HOST_DEVICE constexpr TensorView(Element* data, std::size_t size) : data_(data), size_(size) {}

  /// From a view of mutable elements to one of constant elements, never to another type or space.
  template <class Other>
  requires std::convertible_to<Other (*)[], Element (*)[]> WEIR_HOST_DEVICE constexpr TensorView(
      TensorView<Other, Space> other)
      : data_(other.data()), size_(other.size()) {}

  WEIR_HOST_DEVICE constexpr Element* data() const { return data_; }
  WEIR_HOST_DEVICE constexpr std::size_t size() const { return size_; }
  WEIR_HOST_DEVICE constexpr bool empty() const { return size_ == 0; }

  /// The `size` elements from `offset` on, which lie within this view.
  WEIR_HOST_DEVICE constexpr TensorView part(std::size_t offset, std::size_t size) const {
    return {data_ + offset, size};
  }

  constexpr Element* begin() const { return data_; }
  constexpr Element* end() const { return data_ + size_; }
  WEIR_HOST_DEVICE constexpr Element& operator[](std::size_t index) const { return data_[index]; }

 private:
  Element* data_ = nullptr;
  std::size_t size_ = 0;
};

template <class Element, class Space>
struct memory_space_of<TensorView<Element, Space>> {
  using type = Space;
};

template <class Element, class Allocator>
struct memory_space_of<std::vector<Element, Allocator>> {
  using type = HostSpace;
};

template <class Element, std::size_t Extent>
struct memory_space_of<std::span<Element, Extent>> {
  using type = HostSpace;
};

template <class Element, std::size_t Extent>
struct memory_space_of<std::array<Element, Extent>> {
  using type = HostSpace;
};

/// A named container, or a temporary that does not own its elements: `const` says nothing about those.
template <class Container>
concept OutlivesView = std::is_lvalue_reference_v<Container> ||
    (std::is_trivially_copyable_v<std::remove_cvref_t<Container>>&& requires(
        std::remove_cvref_t<Container>& handle, std::remove_cvref_t<Container> const& constant) {
      requires std::same_as<decltype(handle.data()), decltype(constant.data())>;
    });

/// The elements of a container whose memory space is known. A temporary that owns its elements is refused.
template <class Container>
requires HasMemorySpace<std::remove_cvref_t<Container>> && OutlivesView<Container>
constexpr auto view(Container&& container) {
  using Element = std::remove_pointer_t<decltype(container.data())>;
  using Space = typename memory_space_of<std::remove_cvref_t<Container>>::type;
  return TensorView<Element, Space>(container.data(), static_cast<std::size_t>(container.size()));
}

/// `size` elements from a raw pointer on; without a space it is host memory that is meant:
/// `view<DeviceSpace>(pointer, size)`.
template <class Space = HostSpace, class Element>
constexpr TensorView<Element, Space> view(Element* data, std::size_t size) {
  return {data, size};
}

}  // namespace weir::inline v1
