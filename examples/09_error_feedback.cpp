// Sends one percent of a gradient and loses nothing of it. Two ranks disagree loudly about a few weights, and
// agree quietly about all others. Each sends only what is largest on it, so without a memory the quiet part
// never gets through; with error feedback what is not sent is kept, and sent later.
#include <cmath>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/weir.hpp"

constexpr std::size_t elements = 2000, steps = 1500;

// Half the squared distance to a target, which is 1 everywhere, but for the first one percent of the weights
// is 20 on one rank and -18 on the other.
struct Model {
  std::size_t rank;

  void operator()(auto& micro) const {
    auto const weights = micro.weights(0);
    auto const gradient = micro.gradient(0);
    for (std::size_t i = 0; i < elements; ++i) {
      float const disagreement = i >= elements / 100 ? 0.0f : rank == 0 ? 19.0f : -19.0f;
      gradient[i] = micro.loss_scale() * (weights[i] - 1.0f - disagreement);
    }
  }
};

// What one rank does; `compress` is how its gradients are made smaller before they are summed.
std::vector<float> train(weir::ThreadCommunicator const& communicator, auto const& compress) {
  std::vector<float> weights(elements);
  Model const model{communicator.rank()};
  weir::HostExecutor exec;
  weir::StreamWorkerPool workers{exec, {.buckets = weir::BucketPlan::by_bytes({elements * sizeof(float)})}};
  auto const recipe =
      weir::LocalAggregator{} | compress | weir::AllReduce{communicator} | weir::Sgd{{.learning_rate = 0.01}};
  auto sync = recipe.on(workers, weir::view(weights));
  std::vector<int> const samples(2);  // one for each rank
  for (std::size_t step = 0; step < steps; ++step) sync(workers(std::span<int const>(samples), model));
  sync.wait();
  return weights;
}

// The root of the mean squared distance from 1, where both ranks together want the weights.
double distance(auto const& compress) {
  std::vector<std::vector<float>> ranks(2);
  std::vector<std::thread> threads;
  for (weir::ThreadCommunicator const& communicator : weir::ThreadCommunicator::group(2))
    threads.emplace_back([&, communicator] { ranks[communicator.rank()] = train(communicator, compress); });
  for (std::thread& thread : threads) thread.join();
  if (ranks[0] != ranks[1]) return NAN;  // they always have the same bits
  double sum = 0.0;
  for (float weight : ranks[0]) sum += (double{weight} - 1.0) * (double{weight} - 1.0);
  return std::sqrt(sum / elements);
}

int main() {
  weir::ThresholdSparsifier const sparsifier{{.density = 0.01}};
  double const without = distance(sparsifier);
  double const with = distance(weir::ErrorFeedback{sparsifier});
  std::printf("distance from the optimum: %.3f without feedback, %.3f with it\n", without, with);
  return without > 0.9 && with < 0.1 ? 0 : 1;
}
