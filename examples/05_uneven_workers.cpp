// Gradients of different sizes per worker: every one counts by its samples, so the mean is exact. Once for a
// trainer that computes its gradients itself and lends them, once for a batch that does not divide evenly.
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/weir.hpp"

// The mean over 8 samples is 2.0 and that over 3 is 5.0: over all 11 it is (8 * 2.0 + 3 * 5.0) / 11.
constexpr float expected = 31.0f / 11.0f;

bool all_are(std::vector<float> const& weights, float value) {
  bool same = true;
  for (float weight : weights) same = same && std::abs(weight - value) < 1e-6f;
  return same;
}

// The backward pass is not ours to run: two workers have left their gradients in memory of their own, here in
// one piece per worker; views of single parameters do as well. No memory is taken for them, and the sum
// overwrites those of worker 0.
bool lend_gradients() {
  std::vector<float> weights(10);
  std::vector<float> first(10, 2.0f), second(10, 5.0f);

  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::by_bytes({6 * sizeof(float), 4 * sizeof(float)}, 1, 1);
  weir::Gradients source{exec, plan, std::vector{weir::view(first), weir::view(second)}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}};
  auto sync = recipe.on(source, weir::view(weights));

  std::size_t const samples[] = {8, 3};  // what each gradient is the mean of
  sync(source(samples));
  sync.wait();
  std::printf("lent gradients: weights %.7f\n", double{weights[0]});
  return all_are(weights, -expected);
}

// The gradient of the mean loss of a micro-batch is here the mean of its samples.
struct MeanModel {
  void operator()(auto& micro) const {
    float sum = 0.0f;
    for (float sample : micro.samples()) sum += sample;
    auto const gradient = micro.gradient(0);
    // `loss_scale` has the number of samples over that of a full micro-batch in it.
    float const scaled = micro.loss_scale() * (sum / static_cast<float>(micro.samples().size()));
    for (float& value : gradient) value = micro.accumulate() ? value + scaled : scaled;
  }
};

// Micro-batches hold 8 samples, a step's batch holds 11: worker 1 gets the last 3.
bool end_with_a_short_micro_batch() {
  std::vector<float> weights(10);
  std::vector<float> batch(8, 2.0f);
  batch.insert(batch.end(), 3, 5.0f);

  MeanModel const model;
  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::by_bytes({weights.size() * sizeof(float)});
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = 8}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}};
  auto sync = recipe.on(workers, weir::view(weights));
  sync(workers(std::span<float const>(batch), model));
  sync.wait();
  std::printf("a short batch:  weights %.7f\n", double{weights[0]});
  return all_are(weights, -expected);
}

int main() {
  bool const lent = lend_gradients();
  bool const ragged = end_with_a_short_micro_batch();
  return lent && ragged ? 0 : 1;
}
