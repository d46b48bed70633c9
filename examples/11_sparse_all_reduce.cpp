// Four ranks, threads here, sum the two percent of their gradients that each has selected. How they do it is
// a policy: `Automatic` picks, on all ranks alike, what is cheapest over their link by the cost table; and
// `break_even` says beforehand whether it pays to select at all.
#include <cmath>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

#include "weir/compress/break_even.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/weir.hpp"

constexpr std::size_t rank_count = 4, elements = 5'000, steps = 600;
constexpr double density = 0.02;
constexpr weir::Link network{.alpha = 20e-6, .beta = 1.0 / 1.25e9};  // ten gigabits per second

// Half the squared distance to a target, which differs a little from rank to rank.
struct Model {
  std::size_t rank;
  static float target(std::size_t rank, std::size_t i) {
    return std::sin(static_cast<float>(i)) + 0.2f * weir::RandomStream{.seed = rank}.normal(i);
  }

  void operator()(auto& micro) const {
    auto const weights = micro.weights(0);
    auto const gradient = micro.gradient(0);
    for (std::size_t i = 0; i < elements; ++i)
      gradient[i] = micro.loss_scale() * (weights[i] - target(rank, i));
  }
};

std::vector<float> train(weir::ThreadCommunicator const& communicator) {
  std::vector<float> weights(elements);
  Model const model{communicator.rank()};
  weir::HostExecutor exec;
  weir::StreamWorkerPool workers{exec, {.buckets = weir::BucketPlan::by_bytes({elements * sizeof(float)})}};
  auto const recipe =
      weir::LocalAggregator{} | weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = density}}} |
      weir::AllReduce{communicator, weir::Automatic{{.link = network}}} | weir::Sgd{{.learning_rate = 0.01}};
  auto sync = recipe.on(workers, weir::view(weights));
  std::vector<int> const samples(rank_count);  // one for each rank
  for (std::size_t step = 0; step < steps; ++step) sync(workers(std::span<int const>(samples), model));
  sync.wait();
  return weights;
}

int main() {
  constexpr std::size_t large = 6'553'600;  // elements of a bucket of 25 MiB
  auto const pays = weir::break_even({.ranks = rank_count, .elements = large, .link = network});
  auto const best = weir::cheapest_method(weir::exact_sparse_methods,
                                          {rank_count, double{large}, density * large}, network);
  std::printf("25 MiB: a dense sum takes %.1f ms, %s %.1f ms, and it pays up to a density of %.2f\n",
              1e3 * pays.seconds(weir::SparseMethod::dense_ring, density), weir::name_of(best),
              1e3 * pays.seconds(best, density), pays.density(best));

  std::vector<std::vector<float>> of_rank(rank_count);
  std::vector<std::thread> threads;
  for (weir::ThreadCommunicator const& communicator : weir::ThreadCommunicator::group(rank_count))
    threads.emplace_back([&, communicator] { of_rank[communicator.rank()] = train(communicator); });
  for (std::thread& thread : threads) thread.join();

  double distance = 0.0;  // from the mean of the targets, where all ranks together want the weights
  for (std::size_t i = 0; i < elements; ++i) {
    double mean = 0.0;
    for (std::size_t rank = 0; rank < rank_count; ++rank) mean += double{Model::target(rank, i)} / rank_count;
    distance += (double{of_rank[0][i]} - mean) * (double{of_rank[0][i]} - mean) / elements;
    for (auto const& weights : of_rank) {
      if (weights[i] != of_rank[0][i]) return 1;  // all ranks have the same bits
    }
  }
  std::printf("distance from the optimum after %zu steps: %.4f\n", steps, std::sqrt(distance));
  return std::sqrt(distance) < 0.1 ? 0 : 1;
}
