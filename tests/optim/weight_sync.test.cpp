#include "weir/optim/weight_sync.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "support/stages.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using namespace std::chrono_literals;
using weir::WeightPolicy;
using Weights = std::vector<float>;

constexpr WeightPolicy policies[] = {WeightPolicy::shared, WeightPolicy::sequential, WeightPolicy::overlap};

/// Two ranks, 3 workers with 2 micro-batches, 50 steps, the last of every five ragged. `rest` follows the
/// all-reduce.
template <class Rest>
Weights train(Rest const& rest) {
  auto const data = network::samples(5 * 24 - 7);
  std::vector<Weights> results(2);
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    auto const model = network::model();
    auto weights = network::initial_weights();
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 2}};
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{communicator} | rest)
                    .on(pool, weir::view(weights));
    for (std::size_t step = 0; step < 50; ++step) {
      auto const batch = network::Batch(data).subspan(step % 5 * 24);
      sync(pool(batch.first(std::min<std::size_t>(24, batch.size())), model));
    }
    sync.wait();
    results[communicator.rank()] = weights;
  });
  CHECK(same_bits(results[0], results[1]));
  CHECK(results[0] != network::initial_weights());
  return results[0];
}

weir::Sgd momentum() {
  return weir::Sgd{{.learning_rate = 0.2, .momentum = 0.9, .weight_decay = 1e-3}};
}
weir::AdamW adamw() {
  return weir::AdamW{{.learning_rate = 0.02}};
}

/// A network with tied weights: the first layer's inputs x and the last layer's outputs use the same matrix
/// T (2 x 2); between them is U (2 x 2). The gradient of T has a part from each end of the backward pass. U
/// is reported in the middle. Each reading of the weights is delayed, and compared with what they were when
/// the micro-batch began. `halves`: a gradient is reported when it is final, which is before the gradient of
/// the layer's input reads the weights, and the reading of the weights by itself.
struct TiedModel {
  static constexpr std::size_t tied = 0, middle = 1, head = 2;
  bool halves;
  std::atomic<bool>* changed_under_a_reader;

  template <class Micro>
  void operator()(Micro& micro) const {
    float begin[3][4];
    for (std::size_t p = 0; p < 3; ++p) std::copy_n(micro.weights(p).data(), 4, begin[p]);
    auto const read = [&](std::size_t p) {
      std::this_thread::sleep_for(std::chrono::microseconds(50 * (micro.worker() + 1)));
      auto const weights = micro.weights(p);
      if (!std::equal(weights.begin(), weights.end(), begin[p])) *changed_under_a_reader = true;
      return weights;
    };
    auto const put = [&](auto const& gradient, std::size_t i, float value) {
      value *= micro.loss_scale();
      gradient[i] = micro.accumulate() ? gradient[i] + value : value;
    };
    float const x[2] = {micro.samples()[0], 1.0f};
    auto const t = micro.weights(tied);
    auto const u = micro.weights(middle);
    auto const h = micro.weights(head);
    float const a[2] = {t[0] * x[0] + t[1] * x[1], t[2] * x[0] + t[3] * x[1]};
    float const b[2] = {u[0] * a[0] + u[1] * a[1], u[2] * a[0] + u[3] * a[1]};
    float const c[2] = {t[0] * b[0] + t[2] * b[1], t[1] * b[0] + t[3] * b[1]};  // transposed
    float const delta[2] = {h[0] * c[0] - h[1], h[2] * c[1] - h[3]};

    auto const wait = [&] { std::this_thread::sleep_for(std::chrono::microseconds(50)); };
    if (halves) micro.weights_read(head), wait();
    auto const g_head = micro.gradient(head);
    for (std::size_t i = 0; i < 4; ++i) put(g_head, i, 0.1f * delta[i / 2] * (i % 2 == 0 ? c[i / 2] : -1.0f));
    halves ? micro.gradient_final(head) : micro.ready_parameter(head);

    // All of the gradient of T that comes from here, and it is not the last of it.
    float tied_gradient[4] = {b[0] * delta[0], b[0] * delta[1], b[1] * delta[0], b[1] * delta[1]};
    auto const t_again = read(tied);
    float const delta_b[2] = {t_again[0] * delta[0] + t_again[1] * delta[1],
                              t_again[2] * delta[0] + t_again[3] * delta[1]};
    auto const g_middle = micro.gradient(middle);
    for (std::size_t i = 0; i < 4; ++i) put(g_middle, i, delta_b[i / 2] * a[i % 2]);
    if (halves) micro.gradient_final(middle);
    auto const u_again = read(middle);  // its gradient is final, but the input's gradient reads it
    float const delta_a[2] = {u_again[0] * delta_b[0] + u_again[2] * delta_b[1],
                              u_again[1] * delta_b[0] + u_again[3] * delta_b[1]};
    halves ? micro.weights_read(middle) : micro.ready_parameter(middle);

    read(tied);
    for (std::size_t i = 0; i < 4; ++i) tied_gradient[i] += delta_a[i / 2] * x[i % 2];
    auto const g_tied = micro.gradient(tied);
    for (std::size_t i = 0; i < 4; ++i) put(g_tied, i, tied_gradient[i]);
    if (halves) micro.gradient_final(tied);
    read(tied);
    halves ? micro.weights_read(tied) : micro.ready_parameter(tied);
  }
};

}

TEST_CASE("shared, sequential and overlap give the same bits after 50 steps of SGD with momentum") {
  auto const expected = train(momentum());
  for (auto policy : policies) CHECK(same_bits(train(weir::WeightSync{policy, momentum()}), expected));
}

TEST_CASE("shared, sequential and overlap give the same bits after 50 steps of AdamW") {
  auto const expected = train(adamw());
  for (auto policy : policies) CHECK(same_bits(train(weir::WeightSync{policy, adamw()}), expected));
}

TEST_CASE("clipping by the global norm gives the same bits under all policies, and other bits per bucket") {
  auto const unclipped = train(momentum());
  weir::Clip const global{{.max_norm = 0.05}};
  weir::Clip const per_bucket{{.max_norm = 0.05, .per_bucket = true}};
  auto const expected = train(global | momentum());
  auto const expected_per_bucket = train(per_bucket | momentum());
  CHECK(expected != unclipped);
  CHECK(expected != expected_per_bucket);
  CHECK(expected_per_bucket != unclipped);
  for (auto policy : policies) {
    CHECK(same_bits(train(global | weir::WeightSync{policy, momentum()}), expected));
    CHECK(same_bits(train(per_bucket | weir::WeightSync{policy, momentum()}), expected_per_bucket));
  }
}

TEST_CASE("weights are not touched before their last reader, also where the gradient is final long before") {
  std::vector<float> const data = {0.5f, -1.0f, 0.25f, 2.0f, -0.75f, 1.5f};
  auto const train_tied = [&](WeightPolicy policy, bool halves) {
    std::atomic<bool> changed = false;
    TiedModel const model{halves, &changed};
    Weights weights = {0.5f, -0.25f, 0.75f, 0.5f, 0.5f, 0.25f, -0.5f, 0.75f, 0.5f, 0.25f, -0.25f, 0.5f};
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor,
                                {.workers = 3, .buckets = weir::BucketPlan::by_bytes({16, 16, 16}, 1, 1)}};
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} |
                 weir::WeightSync{policy, weir::Sgd{{.learning_rate = 0.05, .momentum = 0.5}}})
                    .on(pool, weir::view(weights));
    for (int step = 0; step < 10; ++step) sync(pool(std::span<float const>(data), model));
    sync.wait();
    CHECK_FALSE(changed);
    return weights;
  };
  auto const expected = train_tied(WeightPolicy::sequential, false);
  for (bool halves : {false, true}) {
    for (auto policy : policies) CHECK(same_bits(train_tied(policy, halves), expected));
  }
}

TEST_CASE("worker 0 reads the caller's weights, the others copies only where the weights are replicated") {
  for (auto policy : policies) {
    weir::HostExecutor const executor;
    Weights weights(4, 1.0f);
    float const* places[3][2] = {};
    Weights seen[3];
    weir::StreamWorkerPool pool{executor,
                                {.workers = 3, .buckets = weir::BucketPlan::by_bytes({4, 12}, 1, 1)}};
    auto const model = [&](auto& micro) {
      for (std::size_t p = 0; p < 2; ++p) {
        places[micro.worker()][p] = micro.weights(p).data();
        auto const gradient = micro.gradient(p);
        std::fill(gradient.begin(), gradient.end(), 1.0f);
      }
      seen[micro.worker()].assign(micro.weights(1).begin(), micro.weights(1).end());
    };
    auto sync = (weir::LocalAggregator{} | weir::WeightSync{policy, weir::Sgd{{.learning_rate = 1.0}}})
                    .on(pool, weir::view(weights));
    int const samples[3] = {};
    for (int step = 0; step < 5; ++step) {
      sync(pool(std::span<int const>(samples), model));
      sync.wait();
      for (auto const& read : seen) CHECK(read == Weights(3, 1.0f - static_cast<float>(step)));
    }
    bool const is_replicated = policy != WeightPolicy::shared;
    for (std::size_t worker = 0; worker < 3; ++worker) {
      CHECK((places[worker][0] != weights.data()) == (is_replicated && worker != 0));
      CHECK((places[worker][1] != weights.data() + 1) == (is_replicated && worker != 0));
    }
    CHECK((places[1][0] != places[2][0]) == is_replicated);
  }
}

TEST_CASE("a learning rate set between steps reaches the optimizer within") {
  for (auto policy : policies) {
    weir::HostExecutor const executor;
    Weights weights(1);
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4})}};
    auto const model = [](auto& micro) { micro.gradient(0)[0] = 1.0f; };
    auto sync = (weir::LocalAggregator{} | weir::WeightSync{policy, weir::Sgd{{.learning_rate = 1.0}}})
                    .on(pool, weir::view(weights));
    int const samples[2] = {};
    for (double rate : {1.0, 0.5, 0.25}) {
      sync.set_learning_rate(rate);
      sync(pool(std::span<int const>(samples), model));
    }
    sync.wait();
    CHECK(weights[0] == -1.75f);
    CHECK(sync.stage<weir::WeightSync<weir::Sgd>>().optimizer().state().learning_rate == 0.25);
  }
}

TEST_CASE("after a step that failed, restored weights reach all copies and stay") {
  constexpr std::size_t size = 1'000'000;
  for (auto policy : policies) {
    weir::HostExecutor const executor;
    Weights weights(size + 1, 1.0f);
    weir::StreamWorkerPool pool{executor,
                                {.workers = 3, .buckets = weir::BucketPlan::by_bytes({4, 4 * size}, 1, 1)}};
    std::atomic<bool> is_applied = false, fails = true;
    std::atomic<int> wrong = 0;
    auto const note = [&](std::size_t, std::uint64_t) { is_applied = true; };
    auto const model = [&](auto& micro) {
      for (float weight : micro.weights(1)) {
        if (weight != 1.0f) ++wrong;
      }
      auto const gradient = micro.bucket_gradient(0);
      std::fill(gradient.begin(), gradient.end(), 1.0f);
      micro.ready(0);
      if (micro.worker() != 2 || !fails) return;
      while (!is_applied && policy != WeightPolicy::sequential) std::this_thread::yield();
      throw 1;  // copies of bucket 0 may be on their way
    };
    auto sync =
        (weir::LocalAggregator{} | weir::WeightSync{policy, weir::Sgd{{.learning_rate = 1.0}}} | Watch{note})
            .on(pool, weir::view(weights));
    int const samples[3] = {};
    for (int round = 0; round < 3; ++round) {
      is_applied = false;
      fails = true;
      sync(pool(std::span<int const>(samples), model));
      CHECK_THROWS_AS(sync.wait(), weir::WorkerError);
      std::fill(weights.begin(), weights.end(), 1.0f);
      sync.restored();
      fails = false;
      sync(pool(std::span<int const>(samples), model));
      sync.wait();
      std::fill(weights.begin(), weights.end(), 1.0f);
      sync.restored();
    }
    CHECK(wrong == 0);
  }
}
