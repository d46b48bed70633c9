// gpu-shutdown reset|exit: what a recipe on a GPU is made of is destroyed after its device has been reset, or
// by static destruction, when the driver is gone. The program ends with 0, with 77 where there is no GPU.
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "weir/comm/self.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/cuda/pooled_memory.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

constexpr std::size_t size = 1000;

struct Model {
  template <class Micro>
  void operator()(Micro& micro) const {
    fill(micro.executor(), micro.gradient(0), 1.0f);
    micro.ready_parameter(0);
  }
} const model;

std::vector<int> const batch(2);
std::vector<float> const zeros(size);

auto recipe() {
  return weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.5}} |
         weir::WeightSync{weir::WeightPolicy::overlap, weir::AdamW{{.learning_rate = 0.01}}};
}

struct Everything {
  explicit Everything(weir::CudaOptions const& options)
      : executor(options),
        pinned(weir::PinnedMemory(), size),
        weights(executor, size),
        workers(executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({size * sizeof(float)})}),
        sync((weir::from_host(executor, std::span<float const>(zeros), weights.view()),
              recipe().on(workers, weights.view()))),
        staged(weir::SelfCommunicator()) {
    staged.all_reduce(executor, weights.view());
    sync(workers(std::span<int const>(batch), model));
    sync.wait();
    graph = std::make_unique<weir::CudaGraph>(
        weir::CudaGraph::capture(executor, [&] { sync(workers(std::span<int const>(batch), model)); }));
    graph->replay();
    sync.replayed(1);
  }

  weir::CudaExecutor executor;
  weir::Buffer<float, weir::PinnedMemory> pinned;
  weir::Buffer<float, weir::CudaExecutor> weights;
  weir::StreamWorkerPool<weir::CudaExecutor> workers;
  decltype(recipe().on(workers, weights.view())) sync;
  weir::StagedCommunicator<weir::SelfCommunicator> staged;
  std::unique_ptr<weir::CudaGraph> graph;
};

weir::PooledMemory pool;
std::vector<std::unique_ptr<Everything>> all;  // destroyed after what the CUDA runtime leaves to the end

}  // namespace

int main(int count, char** arguments) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("skipped: there is no CUDA device\n");
    return 77;
  }
  all.push_back(std::make_unique<Everything>(weir::CudaOptions{}));
  all.push_back(std::make_unique<Everything>(weir::CudaOptions{.launch_thread = true}));
  all.push_back(std::make_unique<Everything>(weir::CudaOptions{.memory = &pool}));
  if (count > 1 && std::strcmp(arguments[1], "exit") == 0) return 0;
  if (cudaDeviceReset() != cudaSuccess) return 1;
  all.clear();
  // Objects that are made after it work.
  Everything const again{weir::CudaOptions{}};
  again.executor.synchronize();
  std::printf("destroyed after a reset\n");
  return 0;
}
