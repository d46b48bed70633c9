#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// Gradients that are written down: trains weights through an optimizer whose gradient in step s is
/// `gradients[s]`, in two buckets.
template <class Optimizer, class Real>
std::vector<Real> train_on(Optimizer const& optimizer, std::vector<Real> weights,
                           std::vector<std::vector<double>> const& gradients, auto const& before_step) {
  auto const type = weir::element_type_of<Real>;
  std::size_t const half = weights.size() / 2;
  auto const plan = weir::BucketPlan({{half, type}, {weights.size() - half, type}}, {{1}, {0}});
  auto const model = [&](auto& micro) {
    for (std::size_t p = 0; p < 2; ++p) {
      auto const gradient = micro.gradient(p);
      for (std::size_t i = 0; i < gradient.size(); ++i)
        gradient[i] = static_cast<Real>(gradients[micro.step()][p * half + i]);
    }
  };
  weir::HostExecutor const executor;
  weir::StreamWorkerPool<weir::HostExecutor, Real> pool(executor, {.buckets = plan});
  auto sync = (weir::LocalAggregator{} | optimizer).on(pool, weir::view(weights));
  int const samples[1] = {};
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    before_step(sync, step);
    sync(pool(std::span<int const>(samples), model));
  }
  sync.wait();
  return weights;
}

template <class Optimizer, class Real>
std::vector<Real> train_on(Optimizer const& optimizer, std::vector<Real> const& weights,
                           std::vector<std::vector<double>> const& gradients) {
  return train_on(optimizer, weights, gradients, [](auto&, std::size_t) {});
}
