#include "weir/pipeline/weight_store.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fault/counting_resource.hpp"
#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/pipedream_2bw.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/pipeline/weight_versions.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/gradients.hpp"

namespace {

using Chain = std::vector<double>;

/// Any number of versions, so that one type of pipeline runs all schedules.
struct AnyStore {
  std::vector<std::uint32_t> counts;
  std::uint32_t versions(std::uint32_t stage, std::uint32_t) const { return counts[stage]; }
};

template <class Store>
AnyStore store_of(Store const& store, std::uint32_t stages) {
  AnyStore any;
  for (std::uint32_t stage = 0; stage < stages; ++stage) any.counts.push_back(store.versions(stage, stages));
  return any;
}

Chain initial_weights(std::size_t stages) {
  Chain weights(stages);
  for (std::size_t s = 0; s < stages; ++s) weights[s] = scalar_chain::initial_weights()[s % 4];
  return weights;
}

/// As many runs as go through the eight samples so often, and at least as many.
std::size_t samples_of(weir::ScheduleTable const& table, std::size_t rounds) {
  std::size_t const m = table.properties().micro_batches;
  return m < 8 ? 8 * rounds : m * rounds;
}

template <class Optimizer>
Chain train(weir::ScheduleTable const& table, AnyStore const& store, Optimizer const& optimizer,
            std::size_t rounds = 1) {
  std::size_t const stages = table.properties().stages;
  Chain weights = initial_weights(stages);
  std::vector<scalar_chain::Sample> data;
  for (std::size_t i = 0; i < samples_of(table, rounds); ++i) data.push_back(scalar_chain::samples[i % 8]);
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, AnyStore> pipe{
      executor, table, {.stages = scalar_chain::layouts(stages)}, store};
  auto sync = (weir::LocalAggregator{} | optimizer).on(pipe, weir::view(weights));
  std::size_t const m = table.properties().micro_batches;
  for (std::size_t at = 0; at < data.size(); at += m)
    sync(pipe(scalar_chain::Batch(data).subspan(at, m), model));
  sync.drain();
  return weights;
}

struct Case {
  char const* name;
  weir::ScheduleTable table;
  AnyStore store;
  std::size_t period;
  Chain golden;
};

std::vector<Case> cases() {
  using weir::make_table;
  return {
      {"wpipe p=2 M=2",
       make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2}),
       store_of(weir::GroupDoubleBuffer{}, 4),
       2,
       {0.94447635339563640, 0.38390550801650292, 0.67450505127365745, 1.20565480889038090}},
      {"wpipe p=2 M=4 K=2",
       make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 4, .blocks = 2}),
       store_of(weir::GroupDoubleBuffer{}, 4),
       4,
       {0.96481196500235467, 0.42962393000470939, 0.70232571716636283, 1.22168954923735360}},
      {"pipedream-2bw p=4 M=4",
       make_table<weir::PipeDream2BW>({.workers = 4, .micro_batches = 8, .period = 4}),
       store_of(weir::DoubleBuffer{}, 4),
       4,
       {0.96263504028320312, 0.42527008056640625, 0.70018005371093750, 1.22010803222656250}},
      {"pipedream p=4",
       make_table<weir::PipeDream>({.workers = 4, .micro_batches = 8}),
       store_of(weir::Stash<>{}, 4),
       1,
       {0.91033230329920856, 0.30115996921545429, 0.62876218172763021, 1.17982904852782640}},
      {"synchronous, flush of 4",
       make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 4}),
       store_of(weir::Single{}, 4),
       4,
       {0.96848685862694872, 0.43541170241701638, 0.70772392872728462, 1.22485976657101640}},
  };
}

/// One optimizer per stage, each fed with the gradient at the weights that section 5 of the recurrences
/// names: version(stage, period).
template <class Optimizer>
Chain recurrence(Case const& the, Optimizer const& optimizer, std::size_t rounds = 1) {
  using Source = weir::Gradients<weir::HostExecutor, double>;
  auto const plan = weir::BucketPlan::by_bytes({sizeof(double)}, 8, 8, weir::ElementType::float64);
  std::size_t const stages = the.table.properties().stages;
  Chain weights = initial_weights(stages);
  std::vector<Chain> history{weights};
  weir::HostExecutor const executor;
  Chain gradients(stages);
  std::vector<std::unique_ptr<Source>> sources;
  auto const bind = [&](std::size_t s) {
    return (weir::LocalAggregator{} | optimizer).on(*sources[s], weir::view(&weights[s], 1));
  };
  for (std::size_t s = 0; s < stages; ++s) {
    sources.push_back(std::make_unique<Source>(
        executor, plan,
        std::vector<weir::TensorView<double, weir::HostSpace>>{weir::view(&gradients[s], 1)}));
  }
  using Bound = decltype(bind(0));
  std::vector<std::unique_ptr<Bound>> bound;
  for (std::size_t s = 0; s < stages; ++s) bound.push_back(std::unique_ptr<Bound>(new Bound(bind(s))));

  auto const& properties = the.table.properties();
  std::size_t first_version = 0;
  for (std::size_t at = 0; at < samples_of(the.table, rounds); at += properties.micro_batches) {
    for (std::size_t t = 0; t * the.period < properties.micro_batches; ++t) {
      std::size_t const from = at + t * the.period;
      Chain sum(stages, 0.0);
      for (std::size_t j = 0; j < the.period; ++j) {
        auto const [x, target] = scalar_chain::samples[(from + j) % 8];
        Chain input(stages + 1, x);
        Chain w(stages);
        for (std::size_t s = 0; s < stages; ++s) {
          std::size_t const delay = properties.synchronous     ? 0
                                    : the.store.counts[s] == 0 ? 0
                                                               : the.store.counts[s] - 1;
          w[s] = history[first_version + (t < delay ? 0 : t - delay)][s];
          input[s + 1] = w[s] * input[s];
        }
        double gradient = input[stages] - target;
        for (std::size_t s = stages; s-- > 0;) {
          sum[s] = j == 0 ? gradient * input[s] : sum[s] + gradient * input[s];
          gradient = gradient * w[s];
        }
      }
      for (std::size_t s = 0; s < stages; ++s) {
        gradients[s] = sum[s] / static_cast<double>(the.period);
        std::size_t const count[1] = {the.period};
        (*bound[s])((*sources[s])(count));
        bound[s]->wait();
      }
      history.push_back(weights);
    }
    first_version = history.size() - 1;
  }
  return weights;
}

}  // namespace

TEST_CASE("final weights of the scalar chain are the golden ones") {
  for (Case const& the : cases()) {
    Chain const weights = train(the.table, the.store, weir::Sgd{{.learning_rate = 0.25}});
    CAPTURE(the.name);
    for (std::size_t s = 0; s < 4; ++s) CHECK(std::abs(weights[s] - the.golden[s]) < 1e-12);
  }
}

TEST_CASE("schedules without a flush are the recurrences of delayed updates, bit for bit") {
  for (Case const& the : cases()) {
    CAPTURE(the.name);
    auto const check = [&](auto const& optimizer) {
      CHECK(same_bits(train(the.table, the.store, optimizer, 3), recurrence(the, optimizer, 3)));
    };
    check(weir::Sgd{{.learning_rate = 0.25}});
    check(weir::Sgd{{.learning_rate = 0.25, .momentum = 0.9}});
    check(weir::AdamW{{.learning_rate = 0.05}});
  }
}

TEST_CASE("so they are for other workers, micro-batches of an update and blocks") {
  std::vector<Case> more;
  struct WPipeShape {
    std::uint32_t workers, period, blocks;
  };
  for (auto const& [p, period, blocks] : std::vector<WPipeShape>{
           {2, 1, 1}, {3, 3, 1}, {4, 3, 1}, {4, 4, 1}, {4, 6, 1}, {4, 8, 2}, {4, 12, 3}}) {
    more.push_back({"wpipe",
                    weir::make_table<weir::WPipe>(
                        {.workers = p, .micro_batches = 4 * period, .period = period, .blocks = blocks}),
                    store_of(weir::GroupDoubleBuffer{}, 2 * p),
                    period,
                    {}});
  }
  for (std::uint32_t const p : {2u, 4u, 5u}) {
    for (std::uint32_t const period : {3u, 4u}) {
      if (period + 1 < p) continue;
      more.push_back({"pipedream-2bw",
                      weir::make_table<weir::PipeDream2BW>(
                          {.workers = p, .micro_batches = 4 * period, .period = period}),
                      store_of(weir::DoubleBuffer{}, p),
                      period,
                      {}});
    }
  }
  for (std::uint32_t const p : {2u, 3u, 8u})
    more.push_back({"pipedream",
                    weir::make_table<weir::PipeDream>({.workers = p, .micro_batches = 16}),
                    store_of(weir::Stash<>{}, p),
                    1,
                    {}});
  for (Case const& the : more) {
    CAPTURE(the.name);
    CAPTURE(the.period);
    CAPTURE(the.table.properties().workers);
    auto const check = [&](auto const& optimizer) {
      Chain const found = train(the.table, the.store, optimizer, 3);
      Chain const expected = recurrence(the, optimizer, 3);
      // What is written down divides by the micro-batches first, which is exact for powers of two.
      if ((the.period & (the.period - 1)) == 0) {
        CHECK(same_bits(found, expected));
      } else {
        for (std::size_t s = 0; s < found.size(); ++s)
          CHECK(found[s] == doctest::Approx(expected[s]).epsilon(1e-12));
      }
    };
    check(weir::Sgd{{.learning_rate = 0.125}});
    check(weir::Sgd{{.learning_rate = 0.0625, .momentum = 0.5}});
    check(weir::AdamW{{.learning_rate = 0.0625}});
  }
}

TEST_CASE("a store with fewer versions than the schedule needs is refused, with the number") {
  auto const all = cases();
  Case const& wpipe = all[0];
  CHECK_THROWS_WITH_AS(train(wpipe.table, store_of(weir::Single{}, 4), weir::Sgd{{.learning_rate = 0.25}}),
                       "stage 0 needs 2 versions of its weights at a time, the store keeps 1",
                       weir::ContractViolation);
  CHECK_THROWS_AS(train(all[3].table, store_of(weir::DoubleBuffer{}, 4), weir::Sgd{{.learning_rate = 0.25}}),
                  weir::ContractViolation);
}

TEST_CASE("stores keep what their schedules need") {
  CHECK(weir::Single{}.versions(0, 4) == 1);
  CHECK(weir::Stash<>{}.versions(0, 4) == 4);
  CHECK(weir::Stash<>{}.versions(3, 4) == 1);
  CHECK(weir::Stash<3>{}.versions(3, 4) == 3);
  CHECK(weir::DoubleBuffer{}.versions(3, 4) == 2);
  CHECK(weir::GroupDoubleBuffer{}.versions(1, 4) == 2);
  CHECK(weir::GroupDoubleBuffer{}.versions(2, 4) == 1);
}

namespace {

/// What binding takes for stages of so many weights. The caller's memory is not counted.
std::size_t bytes_of_versions(weir::ScheduleTable const& table, AnyStore const& store, std::size_t elements) {
  std::size_t const stages = table.properties().stages;
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  weir::InterleavedPipeline<weir::HostExecutor, double, AnyStore> pipe{
      executor,
      table,
      {.stages = std::vector<weir::StageLayout>(stages, {.parameters = {elements, 8}, .outputs = {{1}}})},
      store};
  std::size_t const before = memory.bytes();
  std::vector<double> weights(stages * (elements + 8));
  auto const sync =
      (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  return memory.bytes() - before;
}

/// Of all weights, the caller's among them.
double copies(weir::ScheduleTable const& table, AnyStore const& store) {
  std::size_t const more = 1000;
  std::size_t const taken = bytes_of_versions(table, store, 8 + more) - bytes_of_versions(table, store, 8);
  return 1 +
         static_cast<double>(taken) / static_cast<double>(more * sizeof(double) * table.properties().stages);
}

}  // namespace

TEST_CASE("of the versions of the weights the caller's memory is one") {
  for (std::uint32_t const p : {2u, 4u}) {
    CAPTURE(p);
    weir::ScheduleShape const shape{.workers = p, .micro_batches = 4 * p};
    CHECK(copies(weir::make_table<weir::OneFOneB>(shape), store_of(weir::Single{}, p)) == 1);
    CHECK(copies(weir::make_table<weir::WPipe>(shape), store_of(weir::GroupDoubleBuffer{}, 2 * p)) == 1.5);
    CHECK(copies(weir::make_table<weir::PipeDream2BW>(shape), store_of(weir::DoubleBuffer{}, p)) == 2);
    // p - s on stage s.
    CHECK(copies(weir::make_table<weir::PipeDream>(shape), store_of(weir::Stash<>{}, p)) == (p + 1) / 2.0);
  }
}

TEST_CASE("after each drain the caller's memory has the latest weights, wherever they were made") {
  // Runs of one update end in the one place and in the other.
  Case const the{"wpipe p=2 M=2",
                 weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 2, .period = 2}),
                 store_of(weir::GroupDoubleBuffer{}, 4),
                 2,
                 {}};
  Chain weights = scalar_chain::initial_weights();
  scalar_chain::Model const model;
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, AnyStore> pipe{
      executor, the.table, {.stages = scalar_chain::layouts(4)}, the.store};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  for (std::size_t const runs : {1u, 2u, 3u, 4u, 1u, 2u}) {
    Chain expected = weights;
    {
      weir::InterleavedPipeline<weir::HostExecutor, double, AnyStore> other{
          executor, the.table, {.stages = scalar_chain::layouts(4)}, the.store};
      auto one =
          (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(other, weir::view(expected));
      for (std::size_t run = 0; run < runs; ++run) {
        one(other(scalar_chain::Batch(scalar_chain::samples).first(2), model));
        one.drain();
      }
    }
    for (std::size_t run = 0; run < runs; ++run)
      sync(pipe(scalar_chain::Batch(scalar_chain::samples).first(2), model));
    sync.drain();
    CHECK(same_bits(weights, expected));
  }
}
