#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {

/// Elements in a row whose memory space is known by opt-in.
template <class T>
concept Tensor = HasMemorySpace<std::remove_cvref_t<T>> && requires(T& tensor) {
  { tensor.size() } -> std::convertible_to<std::size_t>;
  requires std::is_pointer_v<decltype(tensor.data())>;
};

/// Something that memory is taken from and given back to.
template <class S>
concept MemorySource = std::copyable<S> && requires(S const source, void* memory) {
  typename S::memory_space;
  { source.allocate(std::size_t{}) } -> std::same_as<void*>;
  requires noexcept(source.deallocate(memory, std::size_t{}));
};

}  // namespace weir::inline v1
