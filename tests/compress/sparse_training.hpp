#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "support/collect.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// A sparsifying stage on one rank with one worker, fed with gradients that are written down. Vectors are in
/// registration order, which is also the bucket's where there is one bucket.
template <class Stage, class Element = float>
class SparseTraining {
 public:
  using Real = std::conditional_t<sizeof(Element) == 8, double, float>;
  using Vector = std::vector<Real>;

  SparseTraining(Stage const& stage, weir::BucketPlan const& plan)
      : weights_(plan.elements()),
        pool_(executor_, {.buckets = plan}),
        sync_(recipe(stage, sent_).on(pool_, weir::view(weights_))) {}

  /// One bucket of one parameter.
  SparseTraining(Stage const& stage, std::size_t size)
      : SparseTraining(stage, weir::BucketPlan::per_parameter({{size, weir::element_type_of<Element>}})) {}

  /// One step; returns what was sent. A step that fails throws.
  Vector step(std::vector<Element> const& gradient) {
    auto const model = [&](auto& micro) {
      std::size_t offset = 0;
      for (std::size_t p = 0; p < pool_.plan().parameters(); ++p) {
        auto const to = micro.template gradient<Element>(p);
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = gradient[offset + i];
        offset += to.size();
      }
    };
    std::vector<int> const samples(sync_.ranks().total_micro_batches());
    sync_(pool_(std::span<int const>(samples), model));
    sync_.wait();
    return sent_.back();
  }

  weir::Archive saved() {
    weir::Archive archive;
    sync_.save(archive);
    return weir::Archive::from_bytes(archive.bytes());
  }

  auto& sync() { return sync_; }
  auto& bound() { return sync_.template stage<Stage>(); }
  Vector residual(std::size_t bucket = 0) { return bound().residual(bucket); }
  Vector momentum(std::size_t bucket = 0) { return bound().momentum(bucket); }

 private:
  static auto recipe(Stage const& stage, std::vector<Vector>& sent) {
    return weir::LocalAggregator{weir::SumScale{}} | stage | Collect<Real>{sent};
  }

  weir::HostExecutor executor_;
  Vector weights_;
  std::vector<Vector> sent_;
  weir::StreamWorkerPool<weir::HostExecutor, Real> pool_;
  decltype(recipe(std::declval<Stage const&>(), sent_).on(pool_, weir::view(weights_))) sync_;
};

/// Numbers of all sizes, as gradients are: products of four uniform ones.
template <class Element = float>
std::vector<Element> rough_gradient(std::size_t size, std::uint64_t number) {
  std::vector<Element> gradient(size);
  std::uint64_t state = number * 0x9e3779b97f4a7c15u + 1;
  auto const uniform = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1p-31f;
  };
  for (Element& g : gradient) g = Element(uniform() * uniform() * uniform() * uniform());
  return gradient;
}
