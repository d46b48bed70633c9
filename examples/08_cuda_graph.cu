// The line of example 00 on a GPU, on a stream and in memory of the caller's: some steps enqueued one by one,
// the rest as replays of a CUDA graph. Ends with 0 if it has found the line, with 77 where there is no GPU.
#include <cmath>
#include <cstdio>
#include <vector>

#include "weir/cuda/graph.hpp"
#include "weir/weir.hpp"

struct Point {
  float x, y;
};

// One thread is enough for a line. All that changes from step to step is read in here, or it would be frozen.
__global__ void line_gradient(Point const* points, std::size_t count, float const* w, float* gradient,
                              bool accumulate, weir::LossFactor factor, weir::StepRandom random) {
  auto const share = static_cast<float>(factor.value()) / static_cast<float>(count);
  float sum[2] = {accumulate ? gradient[0] : 0.0f, accumulate ? gradient[1] : 0.0f};
  for (std::size_t i = 0; i < count; ++i) {
    float const noise = 0.01f * random.stream().normal(i);
    float const error = w[0] * points[i].x + w[1] - points[i].y - noise;
    sum[0] += share * error * points[i].x;
    sum[1] += share * error;
  }
  gradient[0] = sum[0];
  gradient[1] = sum[1];
}

struct LineModel {  // called by the workers, it only enqueues
  template <class Micro>
  void operator()(Micro& micro) const {
    line_gradient<<<1, 1, 0, micro.executor().stream()>>>(
        micro.samples().data(), micro.samples().size(), micro.weights(0).data(), micro.gradient(0).data(),
        micro.accumulate(), micro.loss_scale(), micro.random(0));
  }
};

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) return 77;

  // What a trainer has anyway: a stream, and memory on the device.
  cudaStream_t stream = nullptr;
  Point* points = nullptr;
  float* weights = nullptr;
  std::vector<Point> host(64);
  for (std::size_t i = 0; i < host.size(); ++i) {
    host[i].x = static_cast<float>(i) / 64.0f;
    host[i].y = 3.0f * host[i].x - 2.0f;
  }
  cudaStreamCreate(&stream);
  cudaMalloc(&points, host.size() * sizeof(Point));
  cudaMalloc(&weights, 2 * sizeof(float));
  cudaMemcpy(points, host.data(), host.size() * sizeof(Point), cudaMemcpyHostToDevice);
  cudaMemset(weights, 0, 2 * sizeof(float));
  float found[2] = {};
  {
    weir::CudaExecutor const exec(stream);
    weir::StreamWorkerPool workers{
        exec, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({2 * sizeof(float)}), .local_batch = 16}};
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} |
                 weir::Sgd{{.learning_rate = 0.5, .momentum = 0.9}})
                    .on(workers, weir::view<weir::DeviceSpace>(weights, 2));
    LineModel const model;
    auto const batch = weir::view<weir::DeviceSpace>(points, host.size());
    for (int step = 0; step < 10; ++step) sync(workers(batch, model));
    sync.wait();

    auto const graph = weir::CudaGraph::capture(exec, [&] { sync(workers(batch, model)); });
    for (int step = 0; step < 190; ++step) graph.replay();
    sync.replayed(190);
    sync.wait();
    cudaMemcpy(found, weights, sizeof(found), cudaMemcpyDeviceToHost);
  }
  cudaFree(points);
  cudaFree(weights);
  cudaStreamDestroy(stream);
  std::printf("y = %.3f x %+.3f\n", double{found[0]}, double{found[1]});
  return std::abs(found[0] - 3.0f) < 0.02f && std::abs(found[1] + 2.0f) < 0.02f ? 0 : 1;
}
