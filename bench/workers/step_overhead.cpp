// What a step costs besides the work in it. The goal is at most 10 microseconds per worker and step with 4
// workers, and a recipe within 2 % of the same calls written by hand. What a trace adds for each span.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/trace/recorder.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Pool = weir::StreamWorkerPool<weir::HostExecutor>;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Shape {
  std::size_t ranks;
  std::size_t workers;
  std::size_t micro_batches;
  std::size_t buckets;
  std::size_t bucket_elements;

  explicit Shape(benchmark::State const& state)
      : ranks(static_cast<std::size_t>(state.range(0))),
        workers(static_cast<std::size_t>(state.range(1))),
        micro_batches(static_cast<std::size_t>(state.range(2))),
        buckets(static_cast<std::size_t>(state.range(3))),
        bucket_elements(static_cast<std::size_t>(state.range(4))) {}

  std::size_t samples() const { return ranks * workers * micro_batches; }
  weir::BucketPlan plan() const {
    return weir::BucketPlan::per_parameter(
        std::vector<weir::Parameter>(buckets, {.elements = bucket_elements}));
  }
};

constexpr weir::SgdOptions sgd_options{.learning_rate = 1e-3, .momentum = 0.9};

/// Ranks that train with a recipe; `Model` is called with a `Micro`.
template <class Model>
class WithRecipe {
 public:
  WithRecipe(Shape const& shape, Model const& model) : model_(model), samples_(shape.samples()) {
    auto const group = weir::ThreadCommunicator::group(shape.ranks);
    for (auto const& communicator : group) ranks_.push_back(std::make_unique<Rank>(shape, communicator));
  }

  void step() {
    for (auto const& rank : ranks_) rank->sync(rank->pool(std::span<float const>(samples_), model_));
  }
  void wait() {
    for (auto const& rank : ranks_) rank->sync.wait();
  }

 private:
  static auto recipe(Shape const& shape, weir::ThreadCommunicator const& communicator) {
    return weir::GradAccumulator{shape.micro_batches} | weir::LocalAggregator{} |
           weir::AllReduce{communicator} | weir::Sgd{sgd_options};
  }

  struct Rank {
    Rank(Shape const& shape, weir::ThreadCommunicator const& communicator)
        : pool(executor, {.workers = shape.workers, .buckets = shape.plan()}),
          weights(shape.buckets * shape.bucket_elements, 1.0f),
          sync(recipe(shape, communicator).on(pool, weir::view(weights))) {}

    weir::HostExecutor executor;
    Pool pool;
    std::vector<float> weights;
    decltype(recipe(std::declval<Shape>(), std::declval<weir::ThreadCommunicator>())
                 .on(pool, weir::view(weights))) sync;
  };

  Model const& model_;
  std::vector<float> samples_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

/// The floor: k threads are woken through condition variables, and waited for.
class WokenThreads {
 public:
  explicit WokenThreads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
  }
  ~WokenThreads() {
    {
      std::lock_guard const lock(mutex_);
      stop_ = true;
    }
    go_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void step() {
    std::unique_lock lock(mutex_);
    ++round_;
    running_ = threads_.size();
    go_.notify_all();
    done_.wait(lock, [&] { return running_ == 0; });
  }

 private:
  void run() {
    for (std::size_t next = 1;; ++next) {
      std::unique_lock lock(mutex_);
      go_.wait(lock, [&] { return round_ >= next || stop_; });
      if (stop_) return;
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable go_;
  std::condition_variable done_;
  std::size_t round_ = 0;
  std::size_t running_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

/// Reports its buckets and does nothing.
struct EmptyModel {
  std::size_t buckets;

  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) micro.ready(bucket);
  }
};

/// Steps that are enqueued without waiting for each other, and the same number one by one. The counters are
/// per worker and step.
void empty_step(benchmark::State& state) {
  Shape const shape(state);
  EmptyModel const model{shape.buckets};
  WithRecipe training(shape, model);
  WokenThreads floor(shape.workers);
  constexpr int batch = 500;
  std::vector<double> ahead;
  std::vector<double> one_by_one;
  std::vector<double> woken;
  auto const measure = [&](std::vector<double>& times, auto const& step) {
    auto const begin = Clock::now();
    for (int i = 0; i < batch; ++i) step();
    training.wait();
    times.push_back(seconds_since(begin) / batch / static_cast<double>(shape.ranks * shape.workers));
  };
  for (auto _ : state) {
    measure(ahead, [&] { training.step(); });
    measure(one_by_one, [&] {
      training.step();
      training.wait();
    });
    measure(woken, [&] {
      for (std::size_t rank = 0; rank < shape.ranks; ++rank) floor.step();
    });
    state.SetIterationTime(ahead.back());
  }
  double const floor_time = median(woken);
  state.counters["ahead"] = median(ahead);
  state.counters["one_by_one"] = median(one_by_one);
  state.counters["floor"] = floor_time;
  state.counters["one_by_one/floor"] = median(one_by_one) / floor_time;
}

/// The work of a model on one bucket: as little as moves the bytes that a backward pass moves at least.
void backward(std::span<float const> weights, std::span<float> gradient, float sample, float scale,
              bool add) {
  if (add) {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += scale * (weights[i] - sample);
  } else {
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = scale * (weights[i] - sample);
  }
}

struct StreamingModel {
  std::size_t buckets;

  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      std::size_t const parameter = buckets - 1 - bucket;
      auto const weights = micro.weights(parameter);
      auto const gradient = micro.gradient(parameter);
      backward({weights.data(), weights.size()}, {gradient.data(), gradient.size()}, micro.samples()[0],
               micro.loss_scale(), micro.accumulate());
      micro.ready(bucket);
    }
  }
};

/// The same verbs, events and collectives as the recipe enqueues.
class ByHand {
 public:
  explicit ByHand(Shape const& shape) : shape_(shape), samples_(shape.samples()) {
    for (auto const& communicator : weir::ThreadCommunicator::group(shape.ranks))
      ranks_.push_back(std::make_unique<Rank>(shape, communicator));
  }

  void step() {
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) step(*ranks_[rank], rank);
  }
  void wait() {
    for (auto const& rank : ranks_) rank->home.synchronize();
  }

 private:
  using Term = weir::WeightedTerm<float, weir::HostSpace>;

  struct Worker {
    weir::HostExecutor stream;
    std::vector<weir::Buffer<float, weir::HostExecutor>> gradients;  // by bucket
    std::vector<weir::HostEvent> done;
  };

  struct Rank {
    Rank(Shape const& shape, weir::ThreadCommunicator const& comm)
        : communicator(comm), weights(shape.buckets * shape.bucket_elements, 1.0f), state(home, 1) {
      for (std::size_t k = 0; k < shape.workers; ++k) {
        workers.push_back({home.fork(), {}, std::vector<weir::HostEvent>(shape.buckets)});
        for (std::size_t bucket = 0; bucket < shape.buckets; ++bucket)
          workers.back().gradients.emplace_back(home, shape.bucket_elements);
      }
      for (std::size_t bucket = 0; bucket < shape.buckets; ++bucket) {
        velocity.emplace_back(home, shape.bucket_elements);
        set_zero(home, velocity.back().view());
        for (auto const& worker : workers) terms.push_back({worker.gradients[bucket].view(), 1.0});
      }
      apply_scalars(home, weir::InitialiseOptimizer{state.data(), sgd_options.learning_rate});
      home.synchronize();
    }

    weir::HostExecutor home;
    weir::ThreadCommunicator communicator;
    std::vector<float> weights;
    weir::Buffer<weir::OptimizerState, weir::HostExecutor> state;
    std::vector<weir::Buffer<float, weir::HostExecutor>> velocity;
    std::vector<Term> terms;  // by bucket and worker
    std::vector<Worker> workers;
    weir::HostEvent start;
    weir::HostExecutor reducing = home.fork();
    weir::HostEvent end;
  };

  std::span<float> weights_of(Rank& rank, std::size_t bucket) const {
    return std::span(rank.weights)
        .subspan((shape_.buckets - 1 - bucket) * shape_.bucket_elements, shape_.bucket_elements);
  }

  void step(Rank& rank, std::size_t index) {
    rank.home.record(rank.start);
    for (std::size_t k = 0; k < shape_.workers; ++k) {
      Worker& worker = rank.workers[k];
      worker.stream.wait(rank.start);
      for (std::size_t t = 0; t < shape_.micro_batches; ++t) {
        float const sample = samples_[(index * shape_.workers + k) * shape_.micro_batches + t];
        for (std::size_t bucket = 0; bucket < shape_.buckets; ++bucket) {
          std::span<float> const gradient(worker.gradients[bucket].data(), shape_.bucket_elements);
          worker.stream.submit([weights = weights_of(rank, bucket), gradient, sample, add = t != 0] {
            backward(weights, gradient, sample, 1.0f, add);
          });
          if (t + 1 == shape_.micro_batches) worker.stream.record(worker.done[bucket]);
        }
      }
    }
    for (std::size_t bucket = 0; bucket < shape_.buckets; ++bucket) reduce(rank, bucket);
    rank.reducing.record(rank.end);
    rank.home.wait(rank.end);
  }

  void reduce(Rank& rank, std::size_t bucket) {
    weir::HostExecutor const& stream = rank.reducing;
    for (Worker const& worker : rank.workers) stream.wait(worker.done[bucket]);
    auto const sum = rank.workers[0].gradients[bucket].view();
    if (shape_.workers > 1) {
      std::span<Term const> const terms(&rank.terms[bucket * shape_.workers], shape_.workers);
      sum_weighted(stream, terms, sum);
    }
    rank.communicator.all_reduce(stream, sum);
    auto const weights = weights_of(rank, bucket);
    if (bucket == 0) apply_scalars(stream, weir::AdvanceOptimizer{rank.state.data(), 1.0, 1.0, nullptr});
    sgd_update(stream, weir::view(weights), weir::view(weights), sum, rank.velocity[bucket].view(),
               {.momentum = sgd_options.momentum}, rank.state.data(),
               {.value = 1.0 / static_cast<double>(shape_.samples())});
  }

  Shape shape_;
  std::vector<float> samples_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

/// Both in turn; the time is that of the recipe, the counters are medians of a step.
void recipe_against_hand(benchmark::State& state) {
  Shape const shape(state);
  StreamingModel const model{shape.buckets};
  WithRecipe recipe(shape, model);
  ByHand hand(shape);
  constexpr int batch = 10;
  auto const measure = [](auto& training, std::vector<double>& times) {
    auto const begin = Clock::now();
    for (int i = 0; i < batch; ++i) training.step();
    training.wait();
    times.push_back(seconds_since(begin) / batch);
  };
  std::vector<double> of_recipe;
  std::vector<double> of_hand;
  std::vector<double> ratios;
  for (auto _ : state) {
    measure(recipe, of_recipe);
    measure(hand, of_hand);
    ratios.push_back(of_recipe.back() / of_hand.back());
    state.SetIterationTime(of_recipe.back());
  }
  state.counters["recipe"] = median(of_recipe);
  state.counters["by_hand"] = median(of_hand);
  state.counters["recipe/by_hand"] = median(ratios);
}

/// As a bound recipe records it. The time is that of one span, the counter that of its two readings of the
/// clock.
void recorded_span(benchmark::State& state) {
  constexpr int batch = 100'000;
  weir::Recorder recorder(1000);
  weir::SpanSink& sink = recorder;
  double clock = 1e9;
  for (auto _ : state) {
    auto begin = Clock::now();
    for (int i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(weir::now());
      benchmark::DoNotOptimize(weir::now());
    }
    clock = std::min(clock, seconds_since(begin) / batch);
    begin = Clock::now();
    for (int i = 0; i < batch; ++i) {
      weir::Span span{.name = "all-reduce", .bucket = i, .begin = weir::now()};
      sink.begin(span);
      span.end = weir::now();
      sink.record(span);
    }
    state.SetIterationTime(seconds_since(begin) / batch);
  }
  state.counters["two_clock_readings"] = clock;
}

}  // namespace

BENCHMARK(recorded_span)->Iterations(25)->UseManualTime()->Unit(benchmark::kNanosecond);

BENCHMARK(empty_step)
    ->ArgNames({"ranks", "k", "m", "buckets", "elements"})
    ->Args({1, 1, 1, 1, 16})
    ->Args({1, 1, 1, 4, 16})
    ->Args({1, 4, 1, 1, 16})
    ->Args({1, 4, 1, 4, 16})
    ->Args({1, 4, 2, 4, 16})
    ->Args({1, 4, 1, 16, 16})
    ->Args({1, 16, 1, 4, 16})
    ->Args({2, 3, 2, 4, 16})
    ->Iterations(9)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

BENCHMARK(recipe_against_hand)
    ->ArgNames({"ranks", "k", "m", "buckets", "elements"})
    ->Args({1, 1, 1, 4, 1 << 18})
    ->Args({1, 2, 1, 4, 1 << 18})
    ->Args({1, 2, 2, 4, 1 << 20})
    ->Args({1, 4, 1, 8, 1 << 18})
    ->Args({2, 1, 1, 4, 1 << 20})
    ->Args({2, 2, 2, 4, 1 << 18})
    ->Iterations(25)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
