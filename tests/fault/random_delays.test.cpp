// Workers that are late by chance, report buckets in any order, over two ranks: the weights do not depend on
// it.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <thread>
#include <vector>

#include "fault/training.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

constexpr std::size_t workers = 3;
constexpr std::size_t micro_batches = 2;
constexpr std::size_t parameters = 5;

/// Numbers whose sum depends on the order of addition.
struct LateModel {
  unsigned seed = 0;
  bool is_late = false;

  template <class Micro>
  void operator()(Micro& micro) const {
    std::minstd_rand random(seed * 7919u + static_cast<unsigned>(micro.step() * 131 + micro.global_index()));
    std::vector<std::size_t> order(parameters);
    for (std::size_t p = 0; p < parameters; ++p) order[p] = p;
    if (is_late) std::shuffle(order.begin(), order.end(), random);
    for (std::size_t p : order) {
      if (is_late && random() % 4 == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 150));
      auto const gradient = micro.gradient(p);
      auto const weights = micro.weights(p);
      float const share = micro.loss_scale() / (1.0f + micro.samples()[0] * micro.samples()[0]);
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        float const value = share * (weights[i] + 0.1f * static_cast<float>(i % 11));
        gradient[i] = micro.accumulate() ? gradient[i] + value : value;
      }
      micro.ready_parameter(p);
    }
  }
};

template <class MakeRecipe>
std::uint64_t run(MakeRecipe const& recipe, LateModel const& model) {
  auto const plan = weir::BucketPlan::per_parameter(
      {{.elements = 33}, {.elements = 1}, {.elements = 700}, {.elements = 64}, {.elements = 9}});
  Ranks ranks(2, {.workers = workers, .buckets = plan}, recipe);
  auto const samples = small_integers(2 * workers * micro_batches);
  for (int step = 0; step < 4; ++step) ranks.step(samples, model);
  ranks.wait();
  CHECK(hash_of(ranks[0].weights) == hash_of(ranks[1].weights));
  return hash_of(ranks[0].weights);
}

template <class Rest>
void check_100_runs(Rest const& rest) {
  auto const hash = [&](LateModel const& model) {
    auto const group = weir::ThreadCommunicator::group(2);
    return run(
        [&](std::size_t rank) {
          return weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
                 weir::AllReduce{group[rank]} | rest;
        },
        model);
  };
  auto const expected = hash({});
  for (unsigned seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    CHECK(hash({.seed = seed, .is_late = true}) == expected);
  }
}

}  // namespace

TEST_CASE("100 runs with random delays over two ranks: one hash, shared weights") {
  check_100_runs(weir::Clip{{.max_norm = 0.5}} | weir::AdamW{{.learning_rate = 0.01}});
}

TEST_CASE("100 runs with random delays over two ranks: one hash, replicated weights") {
  check_100_runs(weir::WeightSync{weir::WeightPolicy::overlap, weir::AdamW{{.learning_rate = 0.01}}});
}
