#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// What these tests train: nothing of use, but every number depends on the weight, the parameter and the
/// samples that it belongs to, so that mixing up any of them changes the result. All numbers are small
/// integers times powers of two as long as the weights are.
template <class Element = float>
struct TestModel {
  std::size_t parameters = 0;

  template <class Micro>
  void operator()(Micro& micro) const {
    float sum = 0;
    for (float sample : micro.samples()) sum += sample;
    float const mean = sum / static_cast<float>(micro.samples().size());
    for (std::size_t parameter = parameters; parameter-- > 0;) {
      auto const gradient = micro.template gradient<Element>(parameter);
      auto const weights = micro.weights(parameter);
      bool const add = micro.accumulate(parameter);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        using Real = std::remove_const_t<std::remove_reference_t<decltype(weights[i])>>;
        auto const value =
            micro.loss_scale() * (static_cast<Real>(mean) + static_cast<Real>(parameter % 4) - weights[i]);
        if constexpr (sizeof(Element) == 2) {
          gradient[i] = Element(value);
        } else {
          gradient[i] = add ? gradient[i] + value : value;
        }
      }
      micro.ready_parameter(parameter);
    }
    micro.loss(static_cast<double>(mean));
  }
};

/// Equal for vectors with equal bits.
template <class Real>
std::uint64_t hash_of(std::vector<Real> const& values) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (Real value : values) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(value));
    hash = (hash ^ bits) * 0x100000001b3u;
  }
  return hash;
}

inline std::vector<float> small_integers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 13) - 6.0f;
  return values;
}

/// Ranks of this process that train together, driven by one thread.
/// `make_recipe(rank)` is called once for each.
template <class MakeRecipe>
class Ranks {
 public:
  using Pool = weir::StreamWorkerPool<weir::HostExecutor>;
  using Recipe = std::invoke_result_t<MakeRecipe, std::size_t>;
  using Sync = decltype(std::declval<Recipe>().on(std::declval<Pool&>(),
                                                  std::declval<weir::TensorView<float, weir::HostSpace>>()));

  struct Rank {
    Rank(weir::HostExecutor const& stream, weir::WorkerOptions const& options, Recipe const& recipe)
        : executor(stream),
          pool(executor, options),
          weights(small_integers(options.buckets.elements())),
          sync(recipe.on(pool, weir::view(weights))) {}

    weir::HostExecutor executor;
    Pool pool;
    std::vector<float> weights;
    Sync sync;
  };

  Ranks(std::size_t count, weir::WorkerOptions const& options, MakeRecipe const& make_recipe,
        weir::HostOptions const& host = {}) {
    for (std::size_t rank = 0; rank < count; ++rank)
      ranks_.push_back(std::make_unique<Rank>(weir::HostExecutor(host), options, make_recipe(rank)));
  }

  Rank& operator[](std::size_t rank) { return *ranks_[rank]; }
  std::size_t size() const { return ranks_.size(); }

  /// Starts a step on every rank.
  template <class Model>
  void step(std::span<float const> batch, Model const& model) {
    for (auto& rank : ranks_) rank->sync(rank->pool(batch, model));
  }

  void wait() {
    for (auto& rank : ranks_) rank->sync.wait();
  }

 private:
  std::vector<std::unique_ptr<Rank>> ranks_;
};
