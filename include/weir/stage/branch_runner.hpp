#pragma once

#include <concepts>
#include <cstddef>

#include "weir/exec/concepts.hpp"

namespace weir::inline v1 {

namespace detail {
/// A callable of the kind that `run_branches` takes; only used to state the concept.
template <class E>
struct AnyBranch {
  void operator()(E const&, std::size_t) const {}
};
}  // namespace detail

/// Something with streams of its own for parts of a computation that need nothing of each other.
///
/// `run_branches(count, branch)` calls `branch(stream, i)` for each i below `count`, on the calling thread.
/// What a branch enqueues on its stream comes after what `executor()` was given before, and before what it is
/// given afterwards. Which branches share a stream makes no difference to what they compute.
template <class P, class E = typename P::executor_type>
concept BranchRunner = Executor<E> && std::same_as<typename P::executor_type, E> &&
    requires(P& runner, std::size_t count, detail::AnyBranch<E> const& branch) {
  { runner.executor() } -> std::convertible_to<E>;
  runner.run_branches(count, branch);
};

}  // namespace weir::inline v1
