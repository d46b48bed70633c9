#include "weir/gradient/all_reduce.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "support/bound_context.hpp"
#include "support/collect.hpp"
#include "support/counting_communicator.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "support/uneven_ranks.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

constexpr std::size_t micro_batches = uneven_ranks::total_micro_batches;

std::vector<weir::WorkLayout> layouts_of(std::size_t local_batch) {
  std::vector<weir::WorkLayout> layouts;
  for (auto const& [workers, m] : uneven_ranks::layouts) layouts.push_back({workers, m, local_batch});
  return layouts;
}

/// The gradient of one step, as each rank would apply it.
template <class Real>
std::vector<std::vector<Real>> gradients_of_ranks(std::vector<weir::WorkLayout> const& layouts,
                                                  network::Batch batch, std::vector<Real> const& initial) {
  std::vector<std::vector<Real>> found(layouts.size());
  on_ranks(layouts.size(), [&](weir::ThreadCommunicator const& communicator) {
    auto const [workers, micro, local_batch] = layouts[communicator.rank()];
    auto const model = network::model();
    auto weights = initial;
    weir::HostExecutor const executor;
    weir::StreamWorkerPool<weir::HostExecutor, Real> pool(
        executor, {.workers = workers,
                   .buckets = network::plan(weir::element_type_of<Real>),
                   .local_batch = local_batch});
    std::vector<std::vector<Real>> steps;
    auto sync = (weir::GradAccumulator{micro} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
                 Collect<Real>{steps})
                    .on(pool, weir::view(weights));
    sync(pool(batch, model));
    sync.wait();
    found[communicator.rank()] = steps.at(0);
  });
  return found;
}

template <class Real>
void check_uneven_ranks(std::size_t missing_samples, double tolerance) {
  auto const weights = network::initial_weights<Real>();
  for (std::size_t local_batch : {1u, 3u, 8u}) {
    auto const data = network::samples(micro_batches * local_batch - missing_samples * local_batch / 8);
    auto const found = gradients_of_ranks(layouts_of(local_batch), network::Batch(data), weights);
    for (auto const& rank : found) CHECK(same_bits(rank, found[0]));
    CAPTURE(local_batch);
    CHECK(network::relative_error(weights, network::Batch(data), local_batch, found[0]) <= tolerance);
  }
}

}

TEST_CASE("uneven ranks give the gradient of one big batch, the same bits on all of them") {
  check_uneven_ranks<float>(0, 1e-6);
  check_uneven_ranks<double>(0, 1e-14);
}

TEST_CASE("a ragged tail, with micro-batches that are empty, gives the exact mean over samples") {
  for (std::size_t missing : {1u, 5u, 23u, 61u, 111u}) {
    check_uneven_ranks<float>(missing, 1e-6);
    check_uneven_ranks<double>(missing, 1e-14);
  }
}

TEST_CASE("one thread may drive all ranks") {
  auto const layouts = layouts_of(4);
  auto const data = network::samples(micro_batches * 4);
  auto const group = weir::ThreadCommunicator::group(layouts.size());
  auto const model = network::model();
  auto const recipe_of = [&](std::size_t rank) {
    return weir::GradAccumulator{layouts[rank].micro_batches} | weir::LocalAggregator{} |
           weir::AllReduce{group[rank]} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
  };
  struct Rank {
    Rank(decltype(recipe_of(0)) const& recipe, std::size_t count)
        : pool(executor, {.workers = count, .buckets = network::plan(), .local_batch = 4}),
          sync(recipe.on(pool, weir::view(weights))) {}

    weir::HostExecutor executor;
    weir::StreamWorkerPool<weir::HostExecutor> pool;
    std::vector<float> weights = network::initial_weights();
    decltype(recipe_of(0).on(pool, weir::view(weights))) sync;
  };
  std::vector<std::unique_ptr<Rank>> ranks;
  for (std::size_t rank = 0; rank < layouts.size(); ++rank)
    ranks.push_back(std::make_unique<Rank>(recipe_of(rank), layouts[rank].workers));
  for (int step = 0; step < 30; ++step) {
    for (auto& rank : ranks) rank->sync(rank->pool(network::Batch(data), model));
  }
  for (auto& rank : ranks) rank->sync.wait();
  for (auto& rank : ranks) CHECK(same_bits(rank->weights, ranks[0]->weights));
  CHECK(ranks[0]->weights != network::initial_weights());
  CHECK(ranks[2]->sync.ranks().first_micro_batch() == 4);
  CHECK(ranks[2]->sync.ranks().total_micro_batches() == micro_batches);
}

TEST_CASE("the collective is called once per bucket and step, in bucket order, after the last micro-batch") {
  constexpr std::size_t workers = 3, buckets = 4, steps = 20, micro = 3;
  auto const data = network::samples(2 * workers * micro * 2);
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    std::vector<std::size_t> reduced;  // by the recipe's stream
    std::atomic<std::size_t> final_reports[buckets] = {};
    std::atomic<bool> came_too_early = false;
    auto const on_reduce = [&](std::size_t elements) {
      std::size_t const bucket = reduced.size() % buckets;
      std::size_t const step = reduced.size() / buckets;
      if (final_reports[bucket] < workers * (step + 1)) came_too_early = true;
      reduced.push_back(elements);
    };
    auto const model = network::Model([&](auto& micro_batch, std::size_t parameter) {
      if (micro_batch.index() == micro - 1) ++final_reports[buckets - 1 - parameter];
    });
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = network::plan(), .local_batch = 2}};
    auto sync =
        (weir::GradAccumulator{micro} | weir::LocalAggregator{} |
         weir::AllReduce{CountingCommunicator{communicator, on_reduce}} | weir::Sgd{{.learning_rate = 0.1}})
            .on(pool, weir::view(weights));
    for (std::size_t step = 0; step < steps; ++step) sync(pool(network::Batch(data), model));
    sync.wait();

    std::vector<std::size_t> expected;
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t bucket = 0; bucket < buckets; ++bucket) expected.push_back(pool.plan()[bucket].size);
    }
    CHECK(reduced == expected);
    CHECK_FALSE(came_too_early);
  });
}

TEST_CASE("another bucket plan or local batch is refused on all ranks, with both values") {
  auto const text_of_rank = [](std::size_t local_batch_of_rank_1, std::size_t size_of_rank_1) {
    std::vector<std::string> texts(2);
    on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
      bool const is_first = communicator.rank() == 0;
      weir::HostExecutor const executor;
      std::vector<float> weights(is_first ? 8 : size_of_rank_1 / 4);
      weir::StreamWorkerPool pool{executor,
                                  {.buckets = weir::BucketPlan::by_bytes({is_first ? 32 : size_of_rank_1}),
                                   .local_batch = is_first ? 3 : local_batch_of_rank_1}};
      auto sync = (weir::LocalAggregator{} | weir::AllReduce{communicator} | weir::Sgd{{}})
                      .on(pool, weir::view(weights));
      auto const model = [](auto&) {};
      std::vector<int> const data(2);
      try {
        sync(pool(std::span<int const>(data), model));
      } catch (weir::FingerprintMismatch const& error) {
        texts[communicator.rank()] = error.what();
      }
    });
    CHECK(texts[0] == texts[1]);
    return texts[0];
  };
  CHECK(text_of_rank(5, 32) == "the local batch differs between ranks: 5 on rank 1, 3 on rank 0");
  CHECK(text_of_rank(3, 64).find("the bucket plan differs between ranks") == 0);
}

TEST_CASE("selected elements of ranks are summed into the dense memory, and a whole bucket as it is") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    BoundContext const place;
    auto bound = weir::AllReduce{communicator}.on(place.context());
    auto const own = static_cast<float>(communicator.rank());
    std::vector<std::uint32_t> indices{1, static_cast<std::uint32_t>(communicator.rank() + 2), 77};
    std::vector<float> values{own, 5.0f, 99.0f}, dense(5, 7.0f);
    std::uint64_t counts[2] = {2, 2};
    weir::StepInfo const step{.number = 3, .samples = 12};
    weir::SparseGradient<weir::HostExecutor> gradient{
        .executor = place.stream, .indices = weir::view(indices), .values = weir::view(values)};
    gradient.count = counts;
    gradient.dense = weir::view(dense);
    gradient.bucket = 1;
    gradient.step = step;
    weir::DenseGradient<weir::HostExecutor> sum{.executor = place.stream, .values = {}};
    place.stream.submit([&](weir::HostExecutor const& point) {
      gradient.executor = point;
      sum = bound(gradient);
    });
    place.stream.synchronize();
    CHECK(dense == std::vector<float>{0, 3, 5, 5, 5});
    CHECK(sum.values.data() == dense.data());
    CHECK(sum.samples == 12);
    CHECK(sum.bucket == 1);
    CHECK(sum.step.number == 3);

    dense.assign(5, own);
    gradient.is_whole = true;
    place.stream.submit([&](weir::HostExecutor const& point) {
      gradient.executor = point;
      bound(gradient);
    });
    place.stream.synchronize();
    CHECK(dense == std::vector<float>(5, 3.0f));
  });
}
