// Data parallelism with four ranks that are threads of one process: each rank has its own stream, weights and
// workers, and trains on its part of every batch. The ranks end with the same bits, and with what one rank
// finds that takes the whole batch alone.
#include <cmath>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

#include "weir/weir.hpp"

struct Sample {
  float x[4];
  float label;  // 0 or 1
};

std::vector<Sample> make_samples(std::size_t count) {
  weir::RandomStream const random{.seed = 7};
  std::vector<Sample> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0.0f;
    for (std::size_t j = 0; j < 4; ++j) sum += samples[i].x[j] = random.normal(4 * i + j);
    samples[i].label = sum > 0.0f ? 1.0f : 0.0f;
  }
  return samples;
}

// Logistic regression; the gradient is that of the mean loss of the micro-batch.
struct Model {
  void operator()(auto& micro) const {
    auto const weights = micro.weights(0);
    auto const gradient = micro.gradient(0);
    float const share = micro.loss_scale() / static_cast<float>(micro.samples().size());
    double loss = 0.0;
    for (std::size_t j = 0; j < 4 && !micro.accumulate(); ++j) gradient[j] = 0.0f;
    for (Sample const& sample : micro.samples()) {
      float score = 0.0f;
      for (std::size_t j = 0; j < 4; ++j) score += weights[j] * sample.x[j];
      float const probability = 1.0f / (1.0f + std::exp(-score));
      for (std::size_t j = 0; j < 4; ++j) gradient[j] += share * (probability - sample.label) * sample.x[j];
      loss -= std::log(double{sample.label > 0.5f ? probability : 1.0f - probability});
    }
    micro.loss(loss / static_cast<double>(micro.samples().size()));
  }
};

// What one rank does. Every rank is handed the batch of all ranks and takes its own micro-batches of it.
std::vector<float> train(auto communicator, std::size_t micro_batches, std::span<Sample const> samples) {
  std::vector<float> weights(4);
  Model const model;
  weir::HostExecutor exec;
  auto const plan = weir::BucketPlan::by_bytes({weights.size() * sizeof(float)});
  weir::StreamWorkerPool workers{exec, {.workers = 2, .buckets = plan, .local_batch = 8}};
  auto const recipe = weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
                      weir::AllReduce{communicator} | weir::Sgd{{.learning_rate = 0.5, .momentum = 0.9}};
  auto sync = recipe.on(workers, weir::view(weights));
  for (std::size_t at = 0; at < samples.size(); at += 64) sync(workers(samples.subspan(at, 64), model));
  sync.wait();
  std::printf("rank %zu of %zu: mean loss %.4f\n", communicator.rank(), communicator.size(),
              workers.take_loss().mean());
  return weights;
}

int main() {
  std::vector<Sample> const samples = make_samples(1280);
  std::vector<std::vector<float>> ranks(4);
  std::vector<std::thread> threads;
  for (weir::ThreadCommunicator const& communicator : weir::ThreadCommunicator::group(4)) {
    threads.emplace_back([&, communicator] { ranks[communicator.rank()] = train(communicator, 1, samples); });
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<float> const alone = train(weir::SelfCommunicator{}, 4, samples);
  for (std::size_t j = 0; j < 4; ++j) {
    for (auto const& weights : ranks) {
      if (weights[j] != ranks[0][j] || !(std::abs(weights[j] - alone[j]) < 1e-5f)) return 1;
    }
  }
  return 0;
}
