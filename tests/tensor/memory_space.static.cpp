#include "weir/tensor/memory_space.hpp"

namespace {

struct Unknown {};
struct Known {};

}  // namespace

template <>
struct weir::memory_space_of<Known> {
  using type = weir::DeviceSpace;
};

static_assert(weir::HasMemorySpace<Known>);
static_assert(!weir::HasMemorySpace<Unknown>, "nothing is guessed to be host memory");
static_assert(!weir::HasMemorySpace<float*>);
