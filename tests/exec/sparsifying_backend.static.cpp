#include "weir/exec/sparsifying_backend.hpp"

#include "weir/exec/immediate_executor.hpp"

struct Heap {
  using memory_space = weir::HostSpace;
  void* allocate(std::size_t) const;
  void deallocate(void*, std::size_t) const noexcept;
};
using Bare = weir::ImmediateExecutor<Heap>;

struct Fitted {
  static constexpr char const* name = "fitted";
  double fit(weir::TailStatistics const&, double) const;
};
struct NoPolicy {
  static constexpr char const* name = "none";
};

// An executor whose backend has no verbs at all.
static_assert(weir::ThresholdPolicy<Fitted> && !weir::ThresholdPolicy<NoPolicy>);
static_assert(!weir::SparsifyingBackend<Bare, Fitted>);
static_assert(!weir::SparsifyingBackend<Bare, NoPolicy>);
static_assert(!weir::ScatteringBackend<Bare>);
