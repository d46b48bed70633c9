#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>

#include "weir/comm/sparse_sum.hpp"
#include "weir/host/executor.hpp"

/// A policy whose type is forgotten, so that a recipe is compiled once for all of them.
template <class Real, class Communicator>
class AnyPolicy {
  using Context = weir::SparseContext<Real, weir::HostExecutor, Communicator>;
  using Sum = weir::SparseSum<Real, weir::HostSpace>;
  using Bound = std::function<void(weir::HostExecutor const&, Sum const&)>;

 public:
  template <class Policy>
  requires(!std::same_as<Policy, AnyPolicy>) AnyPolicy(Policy policy)
      : bind_([policy](Context const& context) -> Bound {
          using Made = decltype(policy.on(context));
          std::shared_ptr<Made> const made(new Made(policy.on(context)));
          return [made](weir::HostExecutor const& point, Sum const& sum) { (*made)(point, sum); };
        }),
        bytes_([policy](weir::SparseLimits const& limits) {
          return policy.template workspace_bytes<Real>(limits);
        }) {}

  Bound on(Context const& context) const { return bind_(context); }

  template <class>
  std::size_t workspace_bytes(weir::SparseLimits const& limits) const {
    return bytes_(limits);
  }

 private:
  std::function<Bound(Context const&)> bind_;
  std::function<std::size_t(weir::SparseLimits const&)> bytes_;
};
