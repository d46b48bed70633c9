#include "weir/tensor/concepts.hpp"

#include <cstddef>
#include <vector>

#include "weir/tensor/view.hpp"

namespace {

struct WithoutSpace {
  float* data();
  std::size_t size();
};
struct Source {
  using memory_space = weir::HostSpace;
  void* allocate(std::size_t) const;
  void deallocate(void*, std::size_t) const noexcept;
};
struct ThrowingSource {
  using memory_space = weir::HostSpace;
  void* allocate(std::size_t) const;
  void deallocate(void*, std::size_t) const;
};

}  // namespace

static_assert(weir::Tensor<std::vector<float>>);
static_assert(weir::Tensor<std::vector<float> const&>);
static_assert(weir::Tensor<weir::TensorView<float, weir::DeviceSpace>>);
static_assert(!weir::Tensor<WithoutSpace>);
static_assert(!weir::Tensor<float>);
static_assert(weir::MemorySource<Source>);
static_assert(!weir::MemorySource<ThrowingSource>,
              "a destructor gives memory back, and destructors do not throw");
