#pragma once

#include <cstddef>

#include "weir/stage/concepts.hpp"

/// A stage of a user's own, after the update: calls `f(bucket, step)` on the recipe's stream.
template <class Function>
class Watch {
 public:
  using consumes = weir::Applied;
  using produces = weir::Applied;

  explicit Watch(Function& f) : f_(&f) {}

  template <weir::Executor E>
  auto on(weir::BucketContext<E> const& context) const {
    return [f = f_, bucket = context.bucket](weir::AppliedGradient<E> const& applied) {
      (*f)(bucket, applied.step.number);
      return applied;
    };
  }

 private:
  Function* f_;
};

/// One before it: the same on the gradient that is about to be applied.
template <class Function>
class Peek {
 public:
  using consumes = weir::Dense;
  using produces = weir::Dense;

  explicit Peek(Function& f) : f_(&f) {}

  template <weir::Executor E>
  auto on(weir::BucketContext<E> const&) const {
    return [f = f_](weir::DenseGradient<E> gradient) {
      gradient.materialise();
      (*f)(gradient);
      return gradient;
    };
  }

 private:
  Function* f_;
};
