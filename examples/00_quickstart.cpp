// The shortest trainer: fits a line to points, with two virtual workers that share one copy of the weights.
// Ends with 0 if it has found the line that the points were made from.
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/weir.hpp"

struct Point {
  float x, y;
};

// Points of y = 3 x - 2 with noise.
std::vector<Point> make_points(std::size_t count) {
  weir::RandomStream const random{.seed = 1};
  std::vector<Point> points(count);
  for (std::size_t i = 0; i < count; ++i) {
    points[i].x = random.uniform(2 * i);
    points[i].y = 3.0f * points[i].x - 2.0f + 0.01f * random.normal(2 * i + 1);
  }
  return points;
}

int main() {
  std::vector<Point> const points = make_points(6400);
  std::span<Point const> const data(points);

  std::vector<float> weights(2);  // any memory with data() and size()
  weir::HostExecutor exec;        // a stream on the CPU
  weir::StreamWorkerPool workers{
      exec, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({2 * sizeof(float)}), .local_batch = 16}};
  auto const recipe =
      weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.5, .momentum = 0.9}};
  auto sync = recipe.on(workers, weir::view(weights));  // allocates everything, once

  auto const model = [](auto& micro) {  // called for each micro-batch, by both workers at the same time
    auto const w = micro.weights(0);
    auto const gradient = micro.gradient(0);
    float const share = micro.loss_scale() / static_cast<float>(micro.samples().size());
    if (!micro.accumulate()) gradient[0] = gradient[1] = 0.0f;
    for (Point const& point : micro.samples()) {
      float const error = w[0] * point.x + w[1] - point.y;
      gradient[0] += share * error * point.x;
      gradient[1] += share * error;
    }
  };
  for (std::size_t at = 0; at < data.size(); at += 64) sync(workers(data.subspan(at, 64), model));
  sync.wait();  // blocks until all steps have ended; rethrows what went wrong

  std::printf("y = %.3f x %+.3f\n", double{weights[0]}, double{weights[1]});
  bool const found = std::abs(weights[0] - 3.0f) < 0.01f && std::abs(weights[1] + 2.0f) < 0.01f;
  return found ? 0 : 1;
}
