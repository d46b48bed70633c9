#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/bucket_orders.hpp"
#include "support/partial_use.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// A model with the same bits on the host and on a device, whose workers may be late and report in any order.
namespace seeded {

/// Depends on the weight, the sample, the parameter and the random number that it belongs to.
template <class Real>
WEIR_HOST_DEVICE Real gradient_of(Real weight, std::size_t i, Real share, Real offset) {
  Real const position = weir::rounded_product(Real{0.1f}, static_cast<Real>(i % 11));
  return weir::rounded_product(share, weight + position + offset);
}

/// `late`: the clock cycles to wait first.
template <class Real>
__global__ void model_kernel(Real const* weights, Real* gradient, std::size_t size, weir::LossFactor factor,
                             Real divisor, weir::StepRandom random, bool add, long long late) {
  long long const begin = clock64();
  while (clock64() - begin < late) {
  }
  Real const share = static_cast<Real>(factor.value()) / divisor;
  Real const offset = random.stream().uniform(0);
  for (std::size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
    Real const value = gradient_of(weights[i], i, share, offset);
    gradient[i] = add ? gradient[i] + value : value;
  }
}

enum class Orders : std::uint8_t {
  last_to_first,
  by_chance,  // with delays
  all,        // of 4 buckets, by 3 workers
};

inline weir::BucketPlan plan(weir::ElementType type = weir::ElementType::float32) {
  return weir::BucketPlan::by_bytes({{.elements = 40, .type = type},
                                     {.elements = 3, .type = type},
                                     {.elements = 3'000, .type = type},
                                     {.elements = 600, .type = type},
                                     {.elements = 301, .type = type}},
                                    64, 2048);
}

struct Model {
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  weir::BucketPlan plan;
  Orders orders = Orders::last_to_first;  // in which parameters are reported
  unsigned seed = 0;                      // of orders and delays by chance
  std::size_t late_worker = nobody;       // is late at each parameter
  bool is_partial = false;                // leaves some parameters alone, as `is_used` tells

  template <class Micro>
  void operator()(Micro& micro) const {
    float sum = 0;
    for (float sample : micro.samples()) sum += sample;
    std::minstd_rand draw(seed * 7919u + static_cast<unsigned>(micro.step() * 131 + micro.global_index()));
    for (std::size_t const p : order_of(micro, draw)) {
      bool const by_chance = orders == Orders::by_chance && draw() % 4 == 0;
      auto const by_seed = static_cast<long long>(by_chance ? draw() % 200'000 : 0);
      long long const late = micro.worker() == late_worker ? 1'000'000 : by_seed;
      if (!is_partial || is_used(p, micro.global_index(), micro.step()))
        compute(micro, p, 1.0f + weir::rounded_product(sum, sum), late);
      micro.ready_parameter(p);
    }
  }

 private:
  template <class Micro>
  std::vector<std::size_t> order_of(Micro const& micro, std::minstd_rand& draw) const {
    std::vector<std::size_t> order;
    if (orders == Orders::all) {
      for (std::size_t const bucket : bucket_order(micro.step(), micro.worker()))
        order.insert(order.end(), plan[bucket].parameters.begin(), plan[bucket].parameters.end());
      return order;
    }
    for (std::size_t p = plan.parameters(); p-- > 0;) order.push_back(p);
    if (orders == Orders::by_chance) std::shuffle(order.begin(), order.end(), draw);
    return order;
  }

  template <class Micro>
  static void compute(Micro& micro, std::size_t p, float divisor, long long late) {
    auto const weights = micro.weights(p);
    auto const gradient = micro.gradient(p);
    using Real = typename decltype(gradient)::element_type;
    bool const add = micro.accumulate(p);
    auto const random = micro.random(static_cast<std::uint32_t>(p));
    if constexpr (std::is_same_v<typename Micro::executor_type, weir::HostExecutor>) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(late));
      Real const share = micro.loss_scale() / Real{divisor};
      Real const offset = random.uniform(0);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        Real const value = gradient_of<Real>(weights[i], i, share, offset);
        gradient[i] = add ? gradient[i] + value : value;
      }
    } else {
      model_kernel<Real><<<4, 128, 0, micro.executor().stream()>>>(
          weights.data(), gradient.data(), gradient.size(), micro.loss_scale(), divisor, random, add, late);
      weir::check_cuda(cudaGetLastError(), "launch of model_kernel");
    }
  }
};

/// How a recipe is run.
struct Training {
  std::size_t workers = 1;
  std::size_t micro_batches = 1;
  std::size_t local_batch = 2;
  std::size_t of_others = 0;  // micro-batches of the other ranks
  std::size_t missing = 0;    // samples that the last micro-batches of all lack
  std::size_t steps = 3;
  bool captured = false;  // all steps but the first are replays of one
  Orders orders = Orders::last_to_first;
  unsigned seed = 0;
  std::size_t late_worker = Model::nobody;
  bool is_partial = false;

  /// Of all ranks.
  std::size_t samples() const { return local_batch * (workers * micro_batches + of_others) - missing; }
};

/// The weights that a recipe ends with. All ranks together consume the batch.
template <class Real = float, class E, class Recipe>
std::vector<Real> train(E const& executor, Recipe const& recipe, Training const& options) {
  weir::BucketPlan const buckets = plan(weir::element_type_of<Real>);
  Model const model{buckets, options.orders, options.seed, options.late_worker, options.is_partial};
  std::vector<float> batch(options.samples());
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = static_cast<float>(i * 5 % 11) / 7.0f - 0.5f;
  std::vector<Real> initial(buckets.elements());
  for (std::size_t i = 0; i < initial.size(); ++i) initial[i] = static_cast<Real>(i * 7 % 13) / 3 - 2;
  weir::Buffer<Real, E> const weights(executor, initial.size());
  weir::from_host(executor, std::span<Real const>(initial), weights.view());
  weir::StreamWorkerPool<E, Real> workers(
      executor, {.workers = options.workers, .buckets = buckets, .local_batch = options.local_batch});
  auto sync = recipe.on(workers, weights.view());
  auto const step = [&] { sync(workers(std::span<float const>(batch), model)); };
  std::size_t const eager = options.captured ? 1 : options.steps;
  for (std::size_t i = 0; i < eager; ++i) step();
  if constexpr (std::is_same_v<E, weir::CudaExecutor>) {
    if (options.captured) {
      sync.wait();
      auto const graph = weir::CudaGraph::capture(executor, step);
      for (std::size_t i = eager; i < options.steps; ++i) graph.replay();
      sync.replayed(options.steps - eager);
      sync.wait();
    }
  }
  sync.wait();
  return weir::to_host(executor, weights.view());
}

}  // namespace seeded
