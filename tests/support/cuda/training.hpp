#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/bucket_orders.hpp"
#include "support/cuda/verbs.hpp"
#include "support/partial_use.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace stand_in {

/// Runs `f()` in stream order on either executor.
template <class Function>
void enqueue_on(weir::HostExecutor const& executor, char const*, std::vector<Access> const&,
                Function const& f) {
  executor.submit(f);
}
template <class Function>
void enqueue_on(weir::CudaExecutor const& executor, char const* name, std::vector<Access> accesses,
                Function const& f) {
  enqueue(executor, name, std::move(accesses), f);
}

inline double factor_of(double factor) {
  return factor;
}
inline double factor_of(weir::LossFactor const& factor) {
  return factor.value();
}
inline void add_accesses(double, std::vector<Access>&) {}
inline void add_accesses(weir::LossFactor const& factor, std::vector<Access>& accesses) {
  if (factor.scale != nullptr) accesses.push_back(reads(factor.scale));
}
inline void add_accesses(weir::RandomStream const&, std::vector<Access>&) {}
inline void add_accesses(weir::StepRandom const& random, std::vector<Access>& accesses) {
  accesses.push_back(reads(random.clock));
}
inline weir::RandomStream random_of(weir::RandomStream const& random) {
  return random;
}
inline weir::RandomStream random_of(weir::StepRandom const& random) {
  return random.stream();
}

/// A model for both executors: its gradient depends on weights, samples, parameter and random numbers, and
/// the sum of gradients on the order of addition. Parameters are reported last to first, or in all orders.
template <class Element = float>
struct EnqueuingModel {
  std::size_t parameters = 0;
  float* ends = nullptr;    // by worker, in the executor's memory: written after all was reported; or null
  bool is_partial = false;  // leaves some parameters alone, as `is_used` tells
  weir::BucketPlan const* all_orders_of = nullptr;  // a plan of 4 buckets, reported in all orders; or null

  template <class Micro>
  void operator()(Micro& micro) const {
    float sum = 0;
    for (float sample : micro.samples()) sum += sample;
    if (all_orders_of == nullptr) {
      for (std::size_t p = parameters; p-- > 0;) pass(micro, p, sum);
    } else {
      for (std::size_t const bucket : bucket_order(micro.step(), micro.worker())) {
        for (std::size_t const p : (*all_orders_of)[bucket].parameters) pass(micro, p, sum);
      }
    }
    if (ends == nullptr) return;
    Inside const inside;
    enqueue_on(micro.executor(), "the end of the model", {writes(ends + micro.worker())},
               [end = ends + micro.worker(), sum] { *end = sum; });
  }

 private:
  template <class Micro>
  void pass(Micro& micro, std::size_t p, float sum) const {
    if (!is_partial || is_used(p, micro.global_index(), micro.step())) {
      auto const gradient = micro.template gradient<Element>(p);
      compute(micro.executor(), gradient, micro.weights(p), micro.loss_scale(),
              micro.random(static_cast<std::uint32_t>(p)), micro.accumulate(p), sum);
    }
    micro.ready_parameter(p);
  }

  template <class E, class Gradient, class Real, class Space, class Factor, class Random>
  static void compute(E const& executor, Gradient gradient, weir::TensorView<Real const, Space> weights,
                      Factor factor, Random random, bool add, float sum) {
    Inside const inside;
    std::vector<Access> accesses{reads(weights)};
    if (add) accesses.push_back(reads(gradient));
    accesses.push_back(writes(gradient));
    add_accesses(factor, accesses);
    add_accesses(random, accesses);
    enqueue_on(executor, "the model", std::move(accesses), [=] {
      Real const share = static_cast<Real>(factor_of(factor)) / (Real{1} + Real{sum} * Real{sum});
      Real const offset = random_of(random).uniform(0);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        Real const value = share * (weights[i] + Real{0.1f} * static_cast<Real>(i % 11) + offset);
        if constexpr (sizeof(Element) == 2) {
          gradient[i] = Element(value);
        } else {
          gradient[i] = add ? gradient[i] + value : value;
        }
      }
    });
  }
};

template <class Real = float>
std::vector<Real> initial_weights(std::size_t count) {
  std::vector<Real> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<Real>(i * 7 % 13) / Real{3} - Real{2};
  return values;
}

inline std::vector<float> samples_of(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 5 % 11) / 7.0f - 0.5f;
  return values;
}

/// A pool, weights and a bound recipe on one executor.
template <class E, class Recipe, class Real = float>
class Trainer {
 public:
  using Pool = weir::StreamWorkerPool<E, Real>;
  using Sync = decltype(std::declval<Recipe const&>().on(
      std::declval<Pool&>(), std::declval<weir::TensorView<Real, typename E::memory_space>>()));

  Trainer(E const& executor, weir::WorkerOptions const& options, Recipe const& recipe)
      : executor_(executor),
        weights_(executor, options.buckets.elements()),
        pool_((fill_weights(), executor), options),
        sync_(recipe.on(pool_, weights_.view())) {}

  template <class Model>
  void step(std::span<float const> batch, Model const& model) {
    sync_(pool_(batch, model));
  }

  std::vector<Real> weights() {
    sync_.wait();
    return weir::to_host(executor_, weights_.view());
  }

  E const& executor() const { return executor_; }
  Pool& pool() { return pool_; }
  Sync& sync() { return sync_; }
  auto view() const { return weights_.view(); }

 private:
  void fill_weights() {
    auto const initial = initial_weights<Real>(weights_.size());
    weir::from_host(executor_, std::span<Real const>(initial), weights_.view());
  }

  E executor_;
  weir::Buffer<Real, E> weights_;
  Pool pool_;
  Sync sync_;
};

}  // namespace stand_in
