// Eigen's own types as weights, samples and gradients: `weir/interop/eigen.hpp` makes them tensors, nothing
// is copied. A linear layer learns the map Y = A X + c.
#include <Eigen/Dense>
#include <cstdio>
#include <vector>

#include "weir/interop/eigen.hpp"
#include "weir/weir.hpp"

using Matrix = Eigen::MatrixXf;
using Vector = Eigen::VectorXf;

// A batch is any small view with `size()` and `subspan(offset, count)`. Here a sample is a column.
struct Columns {
  Matrix const* inputs;
  Matrix const* targets;
  Eigen::Index first = 0;
  Eigen::Index count = 0;

  std::size_t size() const { return static_cast<std::size_t>(count); }
  Columns subspan(std::size_t offset, std::size_t size) const {
    return {inputs, targets, first + static_cast<Eigen::Index>(offset), static_cast<Eigen::Index>(size)};
  }
};

// The weights are a matrix (parameter 0) and a vector (parameter 1). What `micro` hands out is a pointer and
// a size, for Eigen::Map.
struct LinearLayer {
  Eigen::Index outputs;
  Eigen::Index inputs;

  void operator()(auto& micro) const {
    Eigen::Map<Matrix const> const weights(micro.weights(0).data(), outputs, inputs);
    Eigen::Map<Vector const> const bias(micro.weights(1).data(), outputs);
    Columns const batch = micro.samples();
    auto const x = batch.inputs->middleCols(batch.first, batch.count);
    auto const y = batch.targets->middleCols(batch.first, batch.count);

    Matrix const error = ((weights * x).colwise() + bias) - y;
    micro.loss(0.5 * double{error.squaredNorm()} / static_cast<double>(batch.count));

    float const share = micro.loss_scale() / static_cast<float>(batch.count);
    Eigen::Map<Matrix> weight_gradient(micro.gradient(0).data(), outputs, inputs);
    Eigen::Map<Vector> bias_gradient(micro.gradient(1).data(), outputs);
    if (!micro.accumulate()) {
      weight_gradient.setZero();
      bias_gradient.setZero();
    }
    weight_gradient.noalias() += share * error * x.transpose();
    bias_gradient += share * error.rowwise().sum();
  }
};

int main() {
  std::srand(3);  // Eigen's Random
  Matrix const true_weights = Matrix::Random(2, 5);
  Vector const true_bias = Vector::Random(2);
  Matrix const inputs = Matrix::Random(5, 256);
  Matrix const targets = (true_weights * inputs).colwise() + true_bias;

  Matrix weights = Matrix::Zero(2, 5);
  Vector bias = Vector::Zero(2);
  LinearLayer const model{2, 5};
  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::by_bytes({10 * sizeof(float), 2 * sizeof(float)});
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = 32}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.3, .momentum = 0.9}};
  auto sync = recipe.on(workers, std::vector{weir::view(weights), weir::view(bias)});

  for (Eigen::Index step = 0; step < 400; ++step) {
    sync(workers(Columns{&inputs, &targets, step % 4 * 64, 64}, model));
  }
  sync.wait();
  float const error = (weights - true_weights).norm() + (bias - true_bias).norm();
  std::printf("mean loss of all steps %.2e, distance to the true layer %.2e\n", workers.take_loss().mean(),
              double{error});
  return error < 1e-4f ? 0 : 1;
}
