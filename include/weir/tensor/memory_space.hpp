#pragma once

namespace weir::inline v1 {

/// Memory that the CPU may read and write.
struct HostSpace {};

/// Memory of a CUDA device.
struct DeviceSpace {};

/// Opt-in: says where the elements of a container live. Deliberately undefined for every other type, so that
/// nothing is guessed to be host memory.
template <class Container>
struct memory_space_of;

template <class Container>
concept HasMemorySpace = requires {
  typename memory_space_of<Container>::type;
};

}  // namespace weir::inline v1
