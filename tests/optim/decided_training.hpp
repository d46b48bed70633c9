#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "host/verb_oracle.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/weight_copy.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// A training whose gradients, clipping, skipping and used parameters are all known beforehand, so that it
/// can be run on any executor.
namespace decided {

inline constexpr std::size_t steps = 4, parameters = 5, buckets = 3;
inline constexpr std::size_t sizes[parameters] = {7, 5000, 0, 21, 2};

/// A vector of the executor's memory with the content of one of the host's.
template <class T, class E>
class Copied {
 public:
  Copied(E const& executor, std::vector<T> content)
      : executor_(executor), content_(std::move(content)), memory_(executor, content_.size()) {
    copy_from_host(executor, content_.data(), memory_.data(), content_.size() * sizeof(T));
    executor.synchronize();
  }

  weir::ViewOn<T, E> view() const { return memory_.view(); }
  std::vector<T> content() const { return to_host(executor_, memory_.view()); }

 private:
  E executor_;
  std::vector<T> content_;
  weir::Buffer<T, E> memory_;
};

/// The stage that sets what other stages would decide.
struct Decisions {
  using consumes = weir::Dense;
  using produces = weir::Dense;

  template <class E, class Real>
  struct Bound {
    explicit Bound(E const& executor)
        : controls(executor, {{}, {.factor = 0.3}, {.skip = 1}, {.factor = 2}}),
          used(executor, {1, 1, 1, 1, 1, 1, 0, 1, 7, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0}) {}

    weir::DenseGradient<E, Real> operator()(weir::DenseGradient<E, Real> gradient) const {
      gradient.scale.control = controls.view().data() + gradient.step.number;
      if (gradient.step.number != 0) gradient.used = used.view().data() + gradient.step.number * parameters;
      return gradient;
    }

    Copied<weir::GradientControl, E> controls;  // by step
    Copied<std::uint32_t, E> used;              // by step and parameter
  };

  template <class E, class Real>
  auto on(weir::RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context.executor);
  }
};

template <class Real, class Copy>
struct Outcome {
  std::vector<Real> weights;
  std::vector<Copy> copies;
};

/// What becomes of weights of type `Real`, and of their copies, by gradients of type `Element`.
template <class Element, class Real, class Copy, class E, class Optimizer>
Outcome<Real, Copy> train(E const& executor, std::size_t workers, Optimizer const& optimizer) {
  std::vector<weir::Parameter> list;
  for (std::size_t size : sizes) list.push_back({size, weir::element_type_of<Element>});
  weir::BucketPlan const plan(list, {{4}, {0, 1, 2}, {3}});
  oracle::Numbers numbers(4);
  Copied<Real, E> const weights(executor, numbers.vector<Real>(plan.elements()));
  Copied<Copy, E> const copies(executor, std::vector<Copy>(plan.elements()));
  auto const gradients = numbers.vector<Element>(plan.elements() * (workers + 1));
  weir::StreamWorkerPool<E, Real> pool(executor, {.workers = workers, .buckets = plan});
  auto sync = (weir::LocalAggregator{} | Decisions{} | optimizer | weir::WeightCopy{copies.view()})
                  .on(pool, weights.view());
  auto const model = [&](auto& micro) {
    Element const* next = gradients.data() + micro.worker() * plan.elements() + micro.step();
    for (std::size_t p = 0; p < parameters; ++p) {
      auto const gradient = micro.template gradient<Element>(p);
      copy_from_host(micro.executor(), next, gradient.data(), gradient.size() * sizeof(Element));
      next += gradient.size();
    }
  };
  std::vector<int> const samples(workers);
  for (std::size_t step = 0; step < steps; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  executor.synchronize();
  return {weights.content(), copies.content()};
}

}  // namespace decided
