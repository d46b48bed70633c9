#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/verbs.hpp"
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

inline float factor_of(float factor) {
  return factor;
}
inline float factor_of(weir::LossFactor const& factor) {
  return static_cast<float>(factor.value());
}
inline void add_accesses(float, std::vector<Access>&) {}
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
/// the sum of gradients on the order of addition. Parameters are reported last to first.
template <class Element = float>
struct EnqueuingModel {
  std::size_t parameters = 0;
  float* ends = nullptr;  // by worker, in the executor's memory: written after all was reported; or null

  template <class Micro>
  void operator()(Micro& micro) const {
    float sum = 0;
    for (float sample : micro.samples()) sum += sample;
    for (std::size_t p = parameters; p-- > 0;) {
      auto const gradient = micro.template gradient<Element>(p);
      compute(micro.executor(), gradient, micro.weights(p), micro.loss_scale(),
              micro.random(static_cast<std::uint32_t>(p)), micro.accumulate(p), sum);
      micro.ready_parameter(p);
    }
    if (ends == nullptr) return;
    Inside const inside;
    enqueue_on(micro.executor(), "the end of the model", {writes(ends + micro.worker())},
               [end = ends + micro.worker(), sum] { *end = sum; });
  }

 private:
  template <class E, class Gradient, class Weights, class Factor, class Random>
  static void compute(E const& executor, Gradient gradient, Weights weights, Factor factor, Random random,
                      bool add, float sum) {
    Inside const inside;
    std::vector<Access> accesses{reads(weights)};
    if (add) accesses.push_back(reads(gradient));
    accesses.push_back(writes(gradient));
    add_accesses(factor, accesses);
    add_accesses(random, accesses);
    enqueue_on(executor, "the model", std::move(accesses), [=] {
      float const share = factor_of(factor) / (1.0f + sum * sum);
      float const offset = random_of(random).uniform(0);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        float const value = share * (weights[i] + 0.1f * static_cast<float>(i % 11) + offset);
        if constexpr (sizeof(Element) == 2) {
          gradient[i] = Element(value);
        } else {
          gradient[i] = add ? gradient[i] + value : value;
        }
      }
    });
  }
};

inline std::vector<float> initial_weights(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 13) / 3.0f - 2.0f;
  return values;
}

inline std::vector<float> samples_of(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 5 % 11) / 7.0f - 0.5f;
  return values;
}

/// A pool, weights and a bound recipe on one executor.
template <class E, class Recipe>
class Trainer {
 public:
  using Pool = weir::StreamWorkerPool<E>;
  using Sync = decltype(std::declval<Recipe const&>().on(
      std::declval<Pool&>(), std::declval<weir::TensorView<float, typename E::memory_space>>()));

  Trainer(E const& executor, weir::WorkerOptions const& options, Recipe const& recipe)
      : executor_(executor),
        weights_(executor, options.buckets.elements()),
        pool_((weir::from_host(executor, std::span<float const>(initial_weights(options.buckets.elements())),
                               weights_.view()),
               executor),
              options),
        sync_(recipe.on(pool_, weights_.view())) {}

  template <class Model>
  void step(std::span<float const> batch, Model const& model) {
    sync_(pool_(batch, model));
  }

  std::vector<float> weights() {
    sync_.wait();
    return weir::to_host(executor_, weights_.view());
  }

  E const& executor() const { return executor_; }
  Pool& pool() { return pool_; }
  Sync& sync() { return sync_; }
  auto view() const { return weights_.view(); }

 private:
  E executor_;
  weir::Buffer<float, E> weights_;
  Pool pool_;
  Sync sync_;
};

}  // namespace stand_in
