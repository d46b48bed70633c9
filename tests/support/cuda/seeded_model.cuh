#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

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
WEIR_HOST_DEVICE inline float gradient_of(float weight, std::size_t i, float share, float offset) {
  float const position = weir::rounded_product(0.1f, static_cast<float>(i % 11));
  return weir::rounded_product(share, weight + position + offset);
}

/// `late`: the clock cycles to wait first.
__global__ void model_kernel(float const* weights, float* gradient, std::size_t size, weir::LossFactor factor,
                             float divisor, weir::StepRandom random, bool add, long long late) {
  long long const begin = clock64();
  while (clock64() - begin < late) {
  }
  float const share = static_cast<float>(factor.value()) / divisor;
  float const offset = random.stream().uniform(0);
  for (std::size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
    float const value = gradient_of(weights[i], i, share, offset);
    gradient[i] = add ? gradient[i] + value : value;
  }
}

struct Model {
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  std::size_t parameters = 0;
  unsigned seed = 0;                 // of delays and of the order of reports; 0: none, last to first
  std::size_t late_worker = nobody;  // is late at each parameter

  template <class Micro>
  void operator()(Micro& micro) const {
    float sum = 0;
    for (float sample : micro.samples()) sum += sample;
    std::minstd_rand draw(seed * 7919u + static_cast<unsigned>(micro.step() * 131 + micro.global_index()));
    std::vector<std::size_t> order(parameters);
    for (std::size_t p = 0; p < parameters; ++p) order[p] = parameters - 1 - p;
    if (seed != 0) std::shuffle(order.begin(), order.end(), draw);
    for (std::size_t const p : order) {
      bool const by_chance = seed != 0 && draw() % 4 == 0;
      auto const by_seed = static_cast<long long>(by_chance ? draw() % 200'000 : 0);
      long long const late = micro.worker() == late_worker ? 1'000'000 : by_seed;
      compute(micro, p, 1.0f + weir::rounded_product(sum, sum), late);
      micro.ready_parameter(p);
    }
  }

 private:
  template <class Micro>
  static void compute(Micro& micro, std::size_t p, float divisor, long long late) {
    auto const weights = micro.weights(p);
    auto const gradient = micro.gradient(p);
    bool const add = micro.accumulate(p);
    auto const random = micro.random(static_cast<std::uint32_t>(p));
    if constexpr (std::is_same_v<typename Micro::executor_type, weir::HostExecutor>) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(late));
      float const share = micro.loss_scale() / divisor;
      float const offset = random.uniform(0);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        float const value = gradient_of(weights[i], i, share, offset);
        gradient[i] = add ? gradient[i] + value : value;
      }
    } else {
      model_kernel<<<4, 128, 0, micro.executor().stream()>>>(weights.data(), gradient.data(), gradient.size(),
                                                             micro.loss_scale(), divisor, random, add, late);
      weir::check_cuda(cudaGetLastError(), "launch of model_kernel");
    }
  }
};

/// How a recipe is run.
struct Training {
  std::size_t workers = 1;
  std::size_t micro_batches = 1;
  std::size_t ranks = 1;
  std::size_t steps = 3;
  bool captured = false;  // all steps but the first are replays of one
  unsigned seed = 0;
  std::size_t late_worker = Model::nobody;
};

inline weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes(
      {{.elements = 40}, {.elements = 3}, {.elements = 3'000}, {.elements = 301}}, 64, 2048);
}

/// The weights that a recipe ends with. All ranks together consume the batch.
template <class E, class Recipe>
std::vector<float> train(E const& executor, Recipe const& recipe, Training const& options) {
  Model const model{plan().parameters(), options.seed, options.late_worker};
  std::size_t const local_batch = 2;
  std::vector<float> batch(local_batch * options.workers * options.micro_batches * options.ranks);
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = static_cast<float>(i * 5 % 11) / 7.0f - 0.5f;
  std::vector<float> initial(plan().elements());
  for (std::size_t i = 0; i < initial.size(); ++i) initial[i] = static_cast<float>(i * 7 % 13) / 3.0f - 2.0f;
  weir::Buffer<float, E> const weights(executor, initial.size());
  weir::from_host(executor, std::span<float const>(initial), weights.view());
  weir::StreamWorkerPool<E> workers(
      executor, {.workers = options.workers, .buckets = plan(), .local_batch = local_batch});
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
