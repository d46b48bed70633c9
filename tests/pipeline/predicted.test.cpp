#include "weir/pipeline/predicted.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using Chain = std::vector<double>;

/// Weights times 1 - factor for each step that they are late.
struct Shrink {
  double factor = 0;
  std::vector<weir::Prediction>* calls = nullptr;  // of stage 0

  void operator()(weir::HostExecutor const&, weir::Prediction const& prediction, auto const& weights,
                  auto const& predicted) const {
    if (calls != nullptr && prediction.stage == 0) calls->push_back(prediction);
    for (std::size_t i = 0; i < weights.size(); ++i)
      predicted[i] = weights[i] * (1 - factor * static_cast<double>(prediction.steps));
  }
};

template <class Store>
Chain train(weir::ScheduleTable const& table, Store const& store, weir::PipelineOptions options = {}) {
  Chain weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  options.stages = scalar_chain::layouts(4);
  weir::InterleavedPipeline<weir::HostExecutor, double, Store> pipe{executor, table, options, store};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  for (int run = 0; run < 3; ++run) sync(pipe(scalar_chain::Batch(scalar_chain::samples), model));
  // What is predicted is not what is evaluated, and changes nothing of it.
  double const loss = sync.evaluate(pipe(scalar_chain::Batch(scalar_chain::samples), model)).sum;
  double expected = 0;
  for (auto const& [x, target] : scalar_chain::samples) {
    double y = x;
    for (double const w : weights) y *= w;
    expected += (y - target) * (y - target) / 2;
  }
  CHECK(loss == doctest::Approx(expected).epsilon(1e-13));
  return weights;
}

/// The delayed updates, written down: version(stage, period) by its delay.
Chain written(std::size_t period, std::vector<std::size_t> const& delays, double factor) {
  std::vector<Chain> history{scalar_chain::initial_weights()};
  for (int run = 0; run < 3; ++run) {
    std::size_t const first = history.size() - 1;
    for (std::size_t t = 0; t * period < 8; ++t) {
      Chain weights = history.back();
      for (std::size_t j = 0; j < period; ++j) {
        auto const [x, target] = scalar_chain::samples[t * period + j];
        double w[4];
        double input[5] = {x};
        for (std::size_t s = 0; s < 4; ++s) {
          std::size_t const version = t < delays[s] ? 0 : t - delays[s];
          w[s] = history[first + version][s] * (1 - factor * static_cast<double>(t - version));
          input[s + 1] = w[s] * input[s];
        }
        double gradient = input[4] - target;
        for (std::size_t s = 4; s-- > 0;) {
          weights[s] -= 0.25 * gradient * input[s] / static_cast<double>(period);
          gradient *= w[s];
        }
      }
      history.push_back(weights);
    }
  }
  return history.back();
}

weir::ScheduleTable wpipe() {
  return weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2});
}
weir::ScheduleTable pipedream() {
  return weir::make_table<weir::PipeDream>({.workers = 4, .micro_batches = 8});
}

}  // namespace

TEST_CASE("a prediction that changes nothing gives the bits of the store below") {
  CHECK(same_bits(train(wpipe(), weir::Predicted{weir::GroupDoubleBuffer{}, Shrink{}}),
                  train(wpipe(), weir::GroupDoubleBuffer{})));
  CHECK(same_bits(
      train(pipedream(), weir::Predicted{weir::Stash<>{}, Shrink{}}, {.recompute = weir::Recompute::always}),
      train(pipedream(), weir::Stash<>{})));
}

TEST_CASE("forward, backward and recomputation read the prediction, and updates start from the weights") {
  auto const check = [](Chain const& weights, Chain const& expected) {
    for (std::size_t s = 0; s < 4; ++s) CHECK(weights[s] == doctest::Approx(expected[s]).epsilon(1e-12));
  };
  check(train(wpipe(), weir::Predicted{weir::GroupDoubleBuffer{}, Shrink{.factor = 0.125}}),
        written(2, {1, 1, 0, 0}, 0.125));
  for (auto const recompute : {weir::Recompute::never, weir::Recompute::always}) {
    check(train(pipedream(), weir::Predicted{weir::Stash<>{}, Shrink{.factor = 0.125}},
                {.recompute = recompute}),
          written(1, {3, 2, 1, 0}, 0.125));
  }
  CHECK(written(1, {3, 2, 1, 0}, 0.125) != written(1, {3, 2, 1, 0}, 0));
}

TEST_CASE("the hook is told what there is and how late it is, once for each period that is late") {
  std::vector<weir::Prediction> calls;
  (void)train(wpipe(), weir::Predicted{weir::GroupDoubleBuffer{}, Shrink{.calls = &calls}});
  REQUIRE(calls.size() == 3 * 3);  // of four periods the first is not
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CHECK(calls[i].version == i / 3 * 4 + i % 3);
    CHECK(calls[i].steps == 1);
    CHECK(calls[i].parameter == 0);
  }
}

TEST_CASE("shared parameters are not predicted") {
  CHECK_THROWS_WITH_AS(
      train(wpipe(), weir::Predicted{weir::DoubleBuffer{}, Shrink{}}, {.tied = {{{0, 0}, {3, 0}}}}),
      doctest::Contains("cannot be predicted"), weir::ContractViolation);
}
