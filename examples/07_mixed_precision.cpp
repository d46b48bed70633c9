// Gradients in 16 bits, sums and weights in 32: a model that computes in half precision with a loss scale
// that finds itself, a gradient clipped to a norm, AdamW on 32-bit master weights, and the 16-bit copy that
// is read.
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/weir.hpp"

constexpr std::size_t size = 64;

// Pulls the weights to the target, from their 16-bit copy. The gradients of its loss are below what 16 bits
// can hold: without a scale most would be zero.
struct Model {
  std::span<weir::half const> weights;
  float target = 0.5f;
  float tiny = 1e-7f;

  void operator()(auto& micro) const {
    // 16-bit gradients are overwritten by every micro-batch; their sum is kept elsewhere, in 32 bits.
    auto const gradient = micro.template gradient<weir::half>(0);
    for (std::size_t i = 0; i < size; ++i) {
      gradient[i] = weir::half(micro.loss_scale() * tiny * (static_cast<float>(weights[i]) - target));
    }
  }
};

int main() {
  std::vector<float> master(size, 2.0f);
  std::vector<weir::half> copy(size);
  std::vector<int> const samples(8);
  Model const model{copy};

  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::by_bytes(
      std::vector<weir::Parameter>{{.elements = size, .type = weir::ElementType::float16}});
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = 2}};
  auto const recipe =
      weir::GradAccumulator{2} | weir::LocalAggregator{} |
      weir::LossScale{{.initial = 0x1p60}} |  // too much: the first steps overflow, and are skipped
      weir::Clip{{.max_norm = 1e-6}} |
      weir::AdamW{{.learning_rate = 0.02, .epsilon = 1e-12, .weight_decay = 0.0}} |
      weir::WeightCopy{weir::view(copy)};
  auto sync = recipe.on(workers, weir::view(master));

  double norm = 0.0;
  for (int step = 0; step < 400; ++step) {
    if (step == 300) sync.set_learning_rate(0.002);  // of the steps that start later
    sync(workers(std::span<int const>(samples), model));
    if (step == 50) norm = sync.stage<weir::Clip>().norm();  // before clipping; waits
  }
  sync.wait();

  auto const scaling = sync.stage<weir::LossScale>().state();
  std::printf("weights %.4f, copy %.4f, loss scale 2^%g, %d steps skipped, a norm of %.1e\n",
              double{master[0]}, double{static_cast<float>(copy[0])}, std::log2(scaling.scale),
              static_cast<int>(scaling.skipped_steps), norm);
  bool const learned =
      std::abs(master[0] - 0.5f) < 0.02f && std::abs(static_cast<float>(copy[0]) - master[0]) < 1e-3f;
  return learned && norm > 1e-7 && scaling.skipped_steps > 0 && scaling.skipped_steps < 100 ? 0 : 1;
}
