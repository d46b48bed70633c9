#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <thread>
#include <vector>

#include "fault/training.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/trace/recorder.hpp"

// Everything is static, and main returns while steps are in flight: the work ends, and then the program, with
// status 0. What is destroyed last looks whether the work has been done.

namespace {

constexpr std::size_t ranks = 2, workers = 2, micro_batches = 2, steps = 6;

std::atomic<std::size_t> calls = 0;

struct LastWord {
  ~LastWord() {
    if (calls == ranks * workers * micro_batches * steps) return;
    std::printf("the models were called %zu times\n", calls.load());
    std::fflush(stdout);
    std::_Exit(EXIT_FAILURE);
  }
} const last_word;

weir::BucketPlan plan() {
  return weir::BucketPlan::per_parameter({{.elements = 8}, {.elements = 500}, {.elements = 3}});
}

struct SlowModel {
  TestModel<> compute{3};

  template <class Micro>
  void operator()(Micro& micro) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    compute(micro);
    ++calls;
  }
} const model;

std::vector<float> const samples = small_integers(ranks * workers * micro_batches);
weir::Recorder recorder{100};
std::vector<weir::ThreadCommunicator> const group = weir::ThreadCommunicator::group(ranks);
weir::HostExecutor const executors[ranks] = {weir::HostExecutor{{.threads = 2}},
                                             weir::HostExecutor{{.threads = 2}}};
std::vector<float> weights[ranks] = {small_integers(511), small_integers(511)};
weir::StreamWorkerPool<weir::HostExecutor> pools[ranks] = {
    {executors[0], {.workers = workers, .buckets = plan()}},
    {executors[1], {.workers = workers, .buckets = plan()}}};

auto bind(std::size_t rank) {
  weir::Sgd const sgd{{.learning_rate = 0.01, .momentum = 0.9}};
  return (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | weir::AllReduce{group[rank]} |
          weir::WeightSync{weir::WeightPolicy::overlap, sgd})
      .on(pools[rank], weir::view(weights[rank]), {.spans = &recorder, .rank = rank});
}
decltype(bind(0)) syncs[ranks] = {bind(0), bind(1)};

}  // namespace

int main() {
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t rank = 0; rank < ranks; ++rank) syncs[rank](pools[rank](std::span(samples), model));
  }
  if (calls < ranks * workers * micro_batches * steps) return EXIT_SUCCESS;
  std::printf("no step is in flight any more\n");
  return EXIT_FAILURE;
}
