#include "weir/stage/checkpoint.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using Weights = std::vector<float>;

/// A pool with its weights and recipe on one rank.
template <class Optimizer>
struct Run {
  explicit Run(weir::WorkLayout layout, Optimizer const& optimizer,
               weir::BucketPlan const& plan = network::plan(), std::uint64_t seed = 3)
      : pool(executor,
             {.workers = layout.workers, .buckets = plan, .local_batch = layout.local_batch, .seed = seed}),
        sync((weir::GradAccumulator{layout.micro_batches} | weir::LocalAggregator{} | weir::LossScale{} |
              optimizer)
                 .on(pool, weir::view(weights))) {}

  /// Steps on data that belong to the samples consumed so far.
  void train(int steps) {
    auto const data = network::samples(2000);
    auto const model = network::model();
    for (int step = 0; step < steps; ++step) {
      std::size_t const size =
          sync.layout().workers * sync.layout().micro_batches * sync.layout().local_batch;
      sync(pool(network::Batch(data).subspan(sync.consumed(), size), model));
      sync.wait();
    }
  }

  weir::Archive saved() {
    weir::Archive archive;
    sync.save(archive);
    return weir::Archive::from_bytes(archive.bytes());
  }

  weir::HostExecutor executor;
  Weights weights = network::initial_weights();
  weir::StreamWorkerPool<weir::HostExecutor> pool;
  decltype((weir::GradAccumulator{1} | weir::LocalAggregator{} | weir::LossScale{} |
            std::declval<Optimizer>())
               .on(pool, weir::view(weights))) sync;
};

weir::AdamW adamw() {
  return weir::AdamW{{.learning_rate = 0.01}};
}
weir::Sgd momentum() {
  return weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
}

/// Plain SGD whose third bucket fails on demand.
struct Torn {
  using consumes = weir::Dense;
  using produces = weir::Applied;
  static inline bool fails = false;

  template <weir::Executor E>
  auto on(weir::BucketContext<E> const& context) const {
    return [weights = context.weights](weir::DenseGradient<E> gradient) {
      if (fails && gradient.bucket == 2) throw std::domain_error("bucket 2");
      gradient.materialise();
      float const factor = 0.1f * static_cast<float>(gradient.scale.factor());
      for (auto const& segment : weights) {
        for (std::size_t i = 0; i < segment.values.size(); ++i)
          segment.values[i] -= factor * gradient.values[segment.offset + i];
      }
      return weir::AppliedGradient<E>{gradient.executor, gradient.bucket, gradient.step};
    };
  }
};

template <class Work>
std::string archive_error_of(Work const& work) {
  try {
    work();
  } catch (weir::ArchiveError const& error) {
    return error.what();
  }
  return {};
}

template <class Optimizer>
void check_resizes(Optimizer const& optimizer) {
  weir::WorkLayout const layouts[] = {{2, 1, 3}, {5, 4, 3}, {1, 2, 3}, {3, 1, 5}};
  Run<Optimizer> run(layouts[0], optimizer);
  run.train(3);
  for (std::size_t i = 1; i < 4; ++i) {
    weir::Archive const before = run.saved();
    run.sync.resize(layouts[i]);
    weir::Archive const after = run.saved();
    run.train(3);

    Run<Optimizer> fresh(layouts[i], optimizer);
    fresh.sync.load(after);
    fresh.train(3);
    CHECK(same_bits(fresh.weights, run.weights));
    CHECK(fresh.sync.consumed() == run.sync.consumed());
    CHECK(fresh.sync.steps() == run.sync.steps());

    // What was saved before the resize is another layout.
    Run<Optimizer> lenient(layouts[i], optimizer);
    CHECK_THROWS_AS(lenient.sync.load(before), weir::ArchiveError);
    CHECK(lenient.weights == network::initial_weights());
    lenient.sync.load(before, {.strict = false});
    lenient.train(3);
    CHECK(same_bits(lenient.weights, run.weights));
  }
}

}

TEST_CASE("a run that is resized twice equals fresh runs from its checkpoints, bit by bit") {
  check_resizes(momentum());
  check_resizes(adamw());
  for (auto policy :
       {weir::WeightPolicy::shared, weir::WeightPolicy::sequential, weir::WeightPolicy::overlap})
    check_resizes(weir::WeightSync{policy, adamw()});
}

TEST_CASE("a run that is interrupted goes on as if it had not been") {
  Run<weir::AdamW> whole({3, 2, 4}, adamw());
  whole.train(10);
  Run<weir::AdamW> first({3, 2, 4}, adamw());
  first.train(6);
  weir::Archive const archive = first.saved();
  Run<weir::AdamW> second({3, 2, 4}, adamw());
  second.train(2);  // which the load makes undone
  second.sync.load(archive);
  CHECK(second.sync.steps() == 6);
  CHECK(second.sync.consumed() == 6 * 24);
  second.train(4);
  CHECK(same_bits(second.weights, whole.weights));
}

TEST_CASE("strict loading names the first field that differs, with both values, and changes nothing") {
  Run<weir::Sgd> run({3, 2, 4}, momentum());
  run.train(2);
  weir::Archive const archive = run.saved();
  auto const refused = [&](weir::WorkLayout layout, weir::BucketPlan const& plan = network::plan(),
                           weir::LoadOptions options = {}, std::uint64_t seed = 3) {
    Run<weir::Sgd> other(layout, momentum(), plan, seed);
    auto const text = archive_error_of([&] { other.sync.load(archive, options); });
    CHECK((text.empty() || other.weights == network::initial_weights()));
    other.train(1);
    return text;
  };
  CHECK(refused({3, 2, 4}).empty());
  CHECK(refused({5, 2, 4}) == "the workers of rank 0 differs: 3 in the archive, 5 here");
  CHECK(refused({3, 1, 4}) == "the micro-batches of rank 0 differs: 2 in the archive, 1 here");
  CHECK(refused({3, 2, 8}) == "the local batch of rank 0 differs: 4 in the archive, 8 here");
  CHECK(refused({4, 5, 6}) == "the workers of rank 0 differs: 3 in the archive, 4 here");
  CHECK(refused({3, 2, 4}, network::plan(), {}, 99) == "the seed differs: 3 in the archive, 99 here");
  CHECK(refused({4, 5, 6}, network::plan(), {.strict = false}).empty());

  auto const one_bucket = weir::BucketPlan::by_bytes({96, 24, 144, 24});
  for (bool strict : {true, false})
    CHECK(refused({3, 2, 4}, one_bucket, {.strict = strict}).find("the bucket plan differs: ") == 0);
  // An optimizer with moments keeps them by bucket.
  CHECK(refused({3, 2, 4}, one_bucket, {.same_buckets = false}) ==
        "the optimizer keeps its moments by bucket, and the buckets differ");
}

TEST_CASE("a checkpoint tells by what recipe it was made") {
  CHECK(Run({3, 2, 4}, momentum()).saved().text("recipe", 0) ==
        "accumulate (by samples) | aggregate (mean over samples, automatic) | loss scale | "
        "sgd (momentum 0.900000, weight decay 0.000000)");
  CHECK(Run({3, 2, 4}, weir::WeightSync{weir::WeightPolicy::overlap, adamw()}).saved().text("recipe", 0) ==
        "accumulate (by samples) | aggregate (mean over samples, automatic) | loss scale | "
        "update (overlap, adamw, beta1 0.900000, beta2 0.999000, weight decay 0.010000)");
}

TEST_CASE("another number of ranks, and another layout of any rank, are named") {
  auto const run = [](std::vector<weir::WorkLayout> const& layouts, auto const& use) {
    on_ranks(layouts.size(), [&](weir::ThreadCommunicator const& communicator) {
      auto const [workers, micro_batches, local_batch] = layouts[communicator.rank()];
      weir::HostExecutor const executor;
      auto weights = network::initial_weights();
      weir::StreamWorkerPool pool{
          executor, {.workers = workers, .buckets = network::plan(), .local_batch = local_batch}};
      auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
                   weir::AllReduce{communicator} | momentum())
                      .on(pool, weir::view(weights));
      use(sync, communicator.rank());
    });
  };
  std::vector<weir::Archive> archives(2);
  run({{3, 1, 2}, {1, 5, 2}}, [&](auto& sync, std::size_t rank) { sync.save(archives[rank]); });
  CHECK(archives[0].header().world_size == 2);
  CHECK(archives[0].bytes() == archives[1].bytes());  // written once, by any rank

  auto const check = [&](std::vector<weir::WorkLayout> const& layouts, std::string const& expected) {
    run(layouts, [&](auto& sync, std::size_t rank) {
      CHECK(archive_error_of([&] { sync.load(archives[rank % 2]); }) == expected);
      CHECK(archive_error_of([&] { sync.load(archives[rank % 2], {.strict = false}); }).empty());
    });
  };
  check({{3, 1, 2}, {1, 5, 2}}, "");
  check({{3, 1, 2}, {1, 4, 2}}, "the micro-batches of rank 1 differs: 5 in the archive, 4 here");
  check({{3, 1, 2}}, "the number of ranks differs: 2 in the archive, 1 here");
}

TEST_CASE("state that the archive lacks is named, and nothing has been changed") {
  Run<weir::Sgd> plain({3, 2, 4}, weir::Sgd{{.learning_rate = 0.1}});
  weir::Archive const archive = plain.saved();
  Run<weir::AdamW> other({3, 2, 4}, adamw());
  other.train(1);
  auto const weights = other.weights;
  CHECK(archive_error_of([&] { other.sync.load(archive); }).find("adamw.first_moment") != std::string::npos);
  CHECK(same_bits(other.weights, weights));
  CHECK(other.sync.steps() == 1);
  other.train(1);
  Run<weir::AdamW> expected({3, 2, 4}, adamw());
  expected.train(2);
  CHECK(same_bits(other.weights, expected.weights));
}

TEST_CASE("weights of another type are refused") {
  Run<weir::Sgd> run({1, 1, 1}, momentum());
  weir::Archive const archive = run.saved();
  weir::HostExecutor const executor;
  std::vector<double> weights(network::total);
  weir::StreamWorkerPool<weir::HostExecutor, double> pool{
      executor, {.buckets = network::plan(weir::ElementType::float64)}};
  auto sync = (weir::LocalAggregator{} | momentum()).on(pool, weir::view(weights));
  CHECK(archive_error_of([&] { sync.load(archive); }) ==
        "the element type differs: float32 in the archive, float64 here");
}

TEST_CASE("loading a checkpoint mends a torn step") {
  Run<Torn> run({2, 1, 4}, Torn{});
  run.train(2);
  weir::Archive const archive = run.saved();
  run.train(1);
  auto const expected = run.weights;

  Torn::fails = true;
  CHECK_THROWS_AS(run.train(1), std::domain_error);
  Torn::fails = false;
  CHECK_THROWS_AS(run.train(1), weir::TornStep);
  run.sync.load(archive);
  run.train(1);
  CHECK(same_bits(run.weights, expected));
}
