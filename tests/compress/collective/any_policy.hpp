#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

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
      : bind_([policy = std::move(policy)](Context const& context) -> Bound {
          using Made = decltype(policy.on(context));
          std::shared_ptr<Made> const made(new Made(policy.on(context)));
          return [made](weir::HostExecutor const& point, Sum const& sum) { (*made)(point, sum); };
        }) {}

  Bound on(Context const& context) const { return bind_(context); }

 private:
  std::function<Bound(Context const&)> bind_;
};
