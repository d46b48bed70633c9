#include "weir/comm/sparse_sum.hpp"

#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/self.hpp"
#include "weir/host/executor.hpp"

namespace {

struct NoPolicy {};

/// One that rejects everything.
struct Nothing {
  template <class Real, class E, class C>
  auto on(weir::SparseContext<Real, E, C> const&) const {
    return [](E const& point, weir::SparseSum<Real, typename E::memory_space> const& sum) {
      set_zero(point, sum.out);
    };
  }
};

template <class Policy>
constexpr bool is_policy = weir::SparseCollective<Policy, float, weir::HostExecutor, weir::SelfCommunicator>;

static_assert(is_policy<Nothing>);
static_assert(is_policy<weir::FixedGather>);
static_assert(!is_policy<NoPolicy>);
static_assert(!weir::SparseCollective<weir::FixedGather, float, weir::HostExecutor, int>);

}  // namespace
