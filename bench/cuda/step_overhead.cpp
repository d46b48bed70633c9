// What a step costs the host, beyond launching as many kernels by hand, and as a captured graph.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "support/gpu_timing.hpp"
#include "support/gpu_training.hpp"
#include "weir/cuda/graph.hpp"

namespace {

constexpr double goal_beyond_launches = 5.0;  // microseconds per worker and step
constexpr double goal_of_captured_step = 10.0;
constexpr std::size_t batches = 51;
constexpr std::size_t steps_of_batch = 10;
constexpr std::size_t buckets = 1;
constexpr std::size_t bucket_elements = 1024;

/// Launches kernels that do nothing.
struct LaunchingModel {
  std::size_t launches;

  template <class Micro>
  void operator()(Micro& micro) const {
    cudaStream_t const stream = micro.executor().stream();
    for (std::size_t launch = 0; launch < launches; ++launch) bench::launch_nothing(stream);
  }
};

/// How many kernels `enqueue` launches.
std::size_t kernels_in(weir::CudaExecutor const& executor, std::function<void()> const& enqueue) {
  cudaGraph_t graph = nullptr;
  weir::check_cuda(cudaStreamBeginCapture(executor.stream(), cudaStreamCaptureModeRelaxed),
                   "cudaStreamBeginCapture");
  enqueue();
  weir::check_cuda(cudaStreamEndCapture(executor.stream(), &graph), "cudaStreamEndCapture");
  std::size_t count = 0;
  weir::check_cuda(cudaGraphGetNodes(graph, nullptr, &count), "cudaGraphGetNodes");
  std::vector<cudaGraphNode_t> nodes(count);
  weir::check_cuda(cudaGraphGetNodes(graph, nodes.data(), &count), "cudaGraphGetNodes");
  auto const is_kernel = [](cudaGraphNode_t node) {
    cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
    weir::check_cuda(cudaGraphNodeGetType(node, &type), "cudaGraphNodeGetType");
    return type == cudaGraphNodeTypeKernel;
  };
  auto const kernels = std::count_if(nodes.begin(), nodes.end(), is_kernel);
  cudaGraphDestroy(graph);
  return static_cast<std::size_t>(kernels);
}

/// Microseconds of host time that each of `steps` takes, in turns; the GPU has nothing to do between batches.
std::vector<bench::Timing> host_time(std::vector<std::function<void()>> const& steps) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(steps.size());
  for (std::size_t batch = 0; batch < batches + 2; ++batch) {
    for (std::size_t index = 0; index < steps.size(); ++index) {
      weir::check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
      auto const begin = Clock::now();
      for (std::size_t step = 0; step < steps_of_batch; ++step) steps[index]();
      std::chrono::duration<double, std::micro> const elapsed = Clock::now() - begin;
      if (batch >= 2) times[index].push_back(elapsed.count() / static_cast<double>(steps_of_batch));
    }
  }
  std::vector<bench::Timing> timings;
  for (auto const& each : times) timings.push_back(bench::summarise(each));
  return timings;
}

void step(bench::Report& report, std::size_t workers, std::size_t launches) {
  weir::CudaExecutor const executor;
  LaunchingModel const model{launches};
  bench::Training training(executor, workers, buckets, bucket_elements, model);
  training.step();
  training.wait();
  std::size_t const kernels = kernels_in(executor, [&] { training.step(); });
  auto const graph = weir::CudaGraph::capture(executor, [&] { training.step(); });
  std::vector<weir::CudaExecutor> streams;
  while (streams.size() < workers) streams.push_back(executor.fork());
  std::vector<cudaStream_t> handles;
  for (auto const& stream : streams) handles.push_back(stream.stream());
  auto const timings = host_time({[&] {
                                    for (std::size_t kernel = 0; kernel < kernels; ++kernel) {
                                      bench::launch_nothing(handles[kernel % workers]);
                                    }
                                  },
                                  [&] { training.step(); }, [&] { graph.replay(); }});
  training.wait();
  std::string const name =
      "host, k=" + std::to_string(workers) + ", " + std::to_string(launches) + " launches a micro-batch";
  report.add({.measured = name,
              .what = "step, all in all",
              .timing = timings[1],
              .roof = std::to_string(kernels) + " raw launches",
              .roof_value = timings[0].median});
  auto beyond = timings[1];
  beyond.median = (timings[1].median - timings[0].median) / static_cast<double>(workers);
  report.add({.measured = name,
              .what = "beyond launches, per worker",
              .timing = beyond,
              .goal = bench::Goal::value_at_most(goal_beyond_launches)});
  report.add({.measured = name,
              .what = "captured step",
              .timing = timings[2],
              .goal = bench::Goal::value_at_most(goal_of_captured_step)});
}

void steps(bench::Report& report) {
  for (std::size_t const workers : {1u, 4u}) {
    for (std::size_t const launches : {0u, 10u}) step(report, workers, launches);
  }
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"steps", steps}});
}
