#include "weir/pipeline/loss_weight.hpp"

#include <doctest/doctest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

struct Table {
  std::vector<double> weights;
  double operator()(weir::WeightedMicroBatch const& micro_batch) const {
    return weights[micro_batch.global_index] + static_cast<double>(micro_batch.step);
  }
};

/// Two updates of eight micro-batches each, in one flush or more.
std::vector<double> train(weir::LossWeight const& weight, double rate, std::uint32_t flushes = 1) {
  std::vector<double> weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double> pipe{
      executor,
      weir::find_schedule("1f1b")->make_table({.workers = 4, .micro_batches = 8 / flushes}),
      {.stages = scalar_chain::layouts(4), .loss_weight = weight, .flushes_per_update = flushes}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = rate}}).on(pipe, weir::view(weights));
  scalar_chain::Batch const batch(scalar_chain::samples);
  std::size_t const part = 8 / flushes;
  for (std::size_t run = 0; run < 2 * flushes; ++run)
    sync(pipe(batch.subspan(run % flushes * part, part), model));
  sync.drain();
  return weights;
}

/// The same, written down.
std::vector<double> written(Table const& weight, double rate) {
  std::vector<double> weights = scalar_chain::initial_weights();
  for (std::uint64_t step = 0; step < 2; ++step) {
    std::vector<double> const w = weights;
    for (std::size_t u = 0; u < 8; ++u) {
      double input[5] = {scalar_chain::samples[u].x};
      for (std::size_t s = 0; s < 4; ++s) input[s + 1] = w[s] * input[s];
      double gradient = (input[4] - scalar_chain::samples[u].target) *
                        weight({.step = step, .global_index = u, .samples = 1});
      for (std::size_t s = 4; s-- > 0; gradient *= w[s]) weights[s] -= rate * gradient * input[s] / 8;
    }
  }
  return weights;
}

double twice(weir::WeightedMicroBatch const& micro_batch) {
  return 2.0 * static_cast<double>(micro_batch.samples);
}
std::size_t thrice(weir::WeightedMicroBatch micro_batch) noexcept {
  return 3 * micro_batch.samples;
}

}  // namespace

TEST_CASE("a loss weight is a plain function, too") {
  weir::LossWeight const by_name = twice;
  weir::LossWeight const by_address = &twice;
  weir::LossWeight const of_another_type = &thrice;
  CHECK(by_name({.samples = 2}) == 4);
  CHECK(by_address({.samples = 2}) == 4);
  CHECK(of_another_type({.samples = 2}) == 6);
  double (*of_choice)(weir::WeightedMicroBatch const&) = twice;
  weir::LossWeight const by_value = of_choice;
  of_choice = nullptr;
  CHECK(by_value({.samples = 2}) == 4);
  CHECK(weir::LossWeight(of_choice).is_one());
}

TEST_CASE("a loss weight is 1, or what the user's function says, which is not copied") {
  CHECK(weir::LossWeight{}.is_one());
  CHECK(weir::LossWeight{}({.samples = 3}) == 1);
  weir::LossWeight const by_samples = [](weir::WeightedMicroBatch const& m) { return m.samples; };
  CHECK(by_samples({.samples = 3}) == 3);
  Table table{{2, 5}};
  weir::LossWeight const by_table = table;
  CHECK(by_table({.step = 1, .global_index = 1}) == 6);
  table.weights[1] = 7;
  CHECK(by_table({.global_index = 1}) == 7);
  CHECK(std::convertible_to<Table const&, weir::LossWeight>);
  CHECK_FALSE(std::convertible_to<Table, weir::LossWeight>);  // would be gone when it is called
}

TEST_CASE("a pipeline multiplies the gradient of the loss by the user's function") {
  Table const table{{1, 0, 2, 0.5, -1, 0, 3, 0.25}};
  std::vector<double> const expected = written(table, 0.25);
  std::vector<double> const weights = train(table, 0.25);
  for (std::size_t s = 0; s < 4; ++s) CHECK(weights[s] == doctest::Approx(expected[s]).epsilon(1e-13));
  auto const two = [](auto const&) { return 2.0; };
  CHECK(same_bits(train(two, 0.25), train({}, 0.5)));
}

TEST_CASE("weighted gradients that are summed over flushes have the bits of one flush") {
  Table const table{{1, 0, 2, 0.3, -1, 0, 3, 0.7}};
  CHECK(same_bits(train(table, 0.25, 2), train(table, 0.25)));
  CHECK(same_bits(train(table, 0.25, 4), train(table, 0.25)));
}
