// Recipes over processes: what the suites of gradient/ and stage/ show over threads, and the same bits as
// there.
#include "weir/stage/recipe.hpp"

#include <doctest/doctest.h>
#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "support/integer_model.hpp"
#include "support/network.hpp"
#include "support/rank_run.hpp"
#include "support/ranks.hpp"
#include "support/resize_case.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/mpi/communicator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

using Layouts = std::vector<weir::WorkLayout>;

/// All ranks, met at its beginning and end, so that one test does not run into the next.
struct World {
  World() { MPI_Barrier(MPI_COMM_WORLD); }
  World(World const&) = delete;
  World& operator=(World const&) = delete;
  ~World() { MPI_Barrier(MPI_COMM_WORLD); }

  weir::MpiCommunicator communicator{MPI_COMM_WORLD, {.deadline = std::chrono::seconds(20)}};
};

/// Whether this rank has the bytes that rank 0 has.
template <class Number>
bool is_same_on_all(std::vector<Number> const& values) {
  std::vector<Number> first = values;
  MPI_Bcast(first.data(), static_cast<int>(first.size() * sizeof(Number)), MPI_BYTE, 0, MPI_COMM_WORLD);
  return same_bits(values, first);
}

Layouts uneven_ranks(std::size_t ranks, std::size_t local_batch) {
  Layouts all = {{3, 1, local_batch}, {1, 5, local_batch}, {2, 3, local_batch}};
  all.resize(ranks);
  return all;
}

/// Of one step without the last `missing` samples.
template <class Real>
void check_gradient(std::size_t local_batch, std::size_t missing, double tolerance) {
  CAPTURE(local_batch);
  CAPTURE(missing);
  World const world;
  auto const layouts = uneven_ranks(world.communicator.size(), local_batch);
  std::vector<Real> kept;
  auto const stages = weir::AllReduce{world.communicator} | KeepGradient<Real>{kept} |
                      weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
  RankRun<std::remove_const_t<decltype(stages)>, Real> run(layouts[world.communicator.rank()], stages);
  for (int step = 0; step < 2; ++step) {
    auto const weights = run.weights;
    auto const batch = run.next_batch(missing);
    run.train(1, missing);
    CHECK(network::relative_error(weights, batch, local_batch, kept) <= tolerance);
    CHECK(is_same_on_all(kept));
    CHECK(is_same_on_all(run.weights));
    CHECK(run.weights != weights);
  }
  CHECK(run.sync.ranks().ranks.size() == world.communicator.size());
}

/// The weights of this rank after some steps, the last of them ragged.
template <class Communicator, class MakeStages>
std::vector<float> trained(Communicator const& communicator, MakeStages const& make) {
  auto const layouts = uneven_ranks(communicator.size(), 4);
  RankRun run(layouts[communicator.rank()], make(communicator));
  run.train(4);
  run.train(2, 5);
  run.train(1, 17);
  return run.weights;
}

/// `make(communicator)` gives what follows the sum over workers.
template <class MakeStages>
void check_same_as_threads(MakeStages const& make) {
  World const world;
  std::size_t const rank = world.communicator.rank();
  auto const over_processes = trained(world.communicator, make);
  std::vector<float> over_threads;
  on_ranks(world.communicator.size(), [&](weir::ThreadCommunicator const& communicator) {
    auto const weights = trained(communicator, make);
    if (communicator.rank() == rank) over_threads = weights;
  });
  CHECK(same_bits(over_processes, over_threads));
  CHECK(is_same_on_all(over_processes));
  CHECK(over_processes != network::initial_weights());
}

/// The model of the network, which throws on one rank in one step.
struct ThrowingModel {
  bool throws = false;

  template <class Micro>
  void operator()(Micro& micro) const {
    if (throws && micro.step() == 2 && micro.worker() == 1) throw std::domain_error("no gradient today");
    network::model()(micro);
  }
};

}  // namespace

TEST_CASE("uneven processes give the gradient of one big batch, the same bits on all of them") {
  for (std::size_t local_batch : {1u, 3u, 8u}) {
    check_gradient<float>(local_batch, 0, 1e-6);
    check_gradient<double>(local_batch, 0, 1e-14);
  }
}

TEST_CASE("a ragged tail over processes, with ranks that have nothing to do, gives the exact mean") {
  for (std::size_t missing : {1u, 5u, 23u, 63u}) {  // of 64 samples or more
    check_gradient<float>(8, missing, 1e-6);
    check_gradient<double>(8, missing, 1e-14);
  }
}

TEST_CASE("integer data over processes give the gradient of one big batch bit by bit") {
  // Sixteen micro-batches of four samples, so that every division is exact.
  constexpr std::size_t local_batch = 4, count = 16 * local_batch;
  std::vector<int> data;
  for (std::size_t i = 0; i < count; ++i) data.push_back(static_cast<int>(i * 7919 % 20011) - 10000);
  std::size_t const elements[] = {10, 7};
  std::vector<float> expected;
  for (std::size_t p = 0; p < 2; ++p) {
    for (std::size_t i = 0; i < elements[p]; ++i) {
      double sum = 0.0;
      for (int sample : data) sum += sample * static_cast<int>(i + 1 + p);
      expected.push_back(static_cast<float>(sum / count));
    }
  }
  IntegerModel const model;
  for (auto time : {weir::ScaleTime::automatic, weir::ScaleTime::before_sum, weir::ScaleTime::after_sum}) {
    World const world;
    auto const layouts = world.communicator.size() == 2
                             ? Layouts{{3, 2, local_batch}, {2, 5, local_batch}}
                             : Layouts{{3, 2, local_batch}, {1, 7, local_batch}, {3, 1, local_batch}};
    auto const [workers, micro_batches, b] = layouts[world.communicator.rank()];
    weir::HostExecutor const executor;
    std::vector<float> weights(17), kept;
    weir::StreamWorkerPool pool{
        executor,
        {.workers = workers, .buckets = weir::BucketPlan::by_bytes({40, 28}, 1, 1), .local_batch = b}};
    auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{weir::MeanOverSamples{}, time} |
                 weir::AllReduce{world.communicator} | KeepGradient{kept} | weir::Sgd{{.learning_rate = 0.5}})
                    .on(pool, weir::view(weights));
    sync(pool(std::span<int const>(data), model));
    sync.wait();
    CHECK(same_bits(kept, expected));
    for (std::size_t i = 0; i < weights.size(); ++i) CHECK(weights[i] == -0.5f * expected[i]);
  }
}

TEST_CASE("processes train to the bits that ranks on threads train to") {
  check_same_as_threads([](auto const& communicator) {
    return weir::AllReduce{communicator} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
  });
  check_same_as_threads([](auto const& communicator) {
    return weir::AllReduce{communicator} | weir::NonFinite{} | weir::UsedParameters{communicator} |
           weir::Clip{{.max_norm = 0.1}} |
           weir::WeightSync{weir::WeightPolicy::overlap, weir::AdamW{{.learning_rate = 0.01}}};
  });
  check_same_as_threads([](auto const& communicator) {
    return weir::ShardedUpdate{communicator, weir::AdamW{{.learning_rate = 0.01}}};
  });
}

TEST_CASE("processes that know only their own samples find out the sum") {
  World const world;
  std::size_t const rank = world.communicator.rank();
  auto const data = network::samples(60);
  // Worker 1 of each rank has a ragged micro-batch: 5 + rank samples of 8.
  std::size_t total = 0;
  std::vector<network::Sample> all;
  for (std::size_t r = 0; r < world.communicator.size(); ++r) {
    all.insert(all.end(), data.begin() + static_cast<std::ptrdiff_t>(20 * r),
               data.begin() + static_cast<std::ptrdiff_t>(20 * r + 5 + r));
    total += 5 + r;
  }
  std::vector<float> kept;
  auto const stages =
      weir::AllReduce{world.communicator} | KeepGradient{kept} | weir::Sgd{{.learning_rate = 0.1}};
  RankRun run({2, 1, 4}, stages);
  auto const weights = run.weights;
  auto const model = network::model();
  run.sync(run.pool(weir::LocalBatch{network::Batch(data).subspan(20 * rank, 5 + rank)}, model));
  run.sync.wait();
  CHECK(run.sync.consumed() == total);
  CHECK(network::relative_error(weights, network::Batch(all), 4, kept) <= 1e-6);
  CHECK(is_same_on_all(kept));
}

TEST_CASE("another bucket plan or local batch is refused on all processes, with both values") {
  auto const text = [](std::size_t local_batch_of_rank_1, std::size_t size_of_rank_1) {
    World const world;
    bool const is_second = world.communicator.rank() == 1;
    weir::HostExecutor const executor;
    std::size_t const bytes = is_second ? size_of_rank_1 : 32;
    std::vector<float> weights(bytes / 4);
    weir::StreamWorkerPool pool{executor,
                                {.buckets = weir::BucketPlan::by_bytes({bytes}),
                                 .local_batch = is_second ? local_batch_of_rank_1 : 3}};
    auto sync = (weir::LocalAggregator{} | weir::AllReduce{world.communicator} | weir::Sgd{{}})
                    .on(pool, weir::view(weights));
    auto const model = [](auto&) {};
    std::vector<int> const samples(2);
    try {
      sync(pool(std::span<int const>(samples), model));
    } catch (weir::FingerprintMismatch const& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  CHECK(text(5, 32) == "the local batch differs between ranks: 5 on rank 1, 3 on rank 0");
  CHECK(text(3, 64).find("the bucket plan differs between ranks") == 0);
}

TEST_CASE("a model that throws in one process is a WorkerError there and PeerAborted in the others") {
  World const world;
  std::size_t const rank = world.communicator.rank();
  std::vector<float> kept;
  auto const stages =
      weir::AllReduce{world.communicator} | KeepGradient{kept} | weir::Sgd{{.learning_rate = 0.1}};
  RankRun run({2, 2, 3}, stages);
  ThrowingModel const model{.throws = rank == 1};
  auto const step = [&] {
    run.sync(run.pool(run.next_batch(), model));
    run.sync.wait();
  };
  step();
  step();
  auto const weights = run.weights;
  auto const begin = std::chrono::steady_clock::now();
  if (rank == 1) {
    CHECK_THROWS_WITH_AS(step(), doctest::Contains("no gradient today"), weir::WorkerError);
  } else {
    CHECK_THROWS_AS(step(), weir::PeerAborted);
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));  // not the deadline of 20
  CHECK(same_bits(run.weights, weights));
  CHECK(run.sync.steps() == 2);
  CHECK_THROWS_AS(world.communicator.poll(std::chrono::milliseconds(0)), weir::PeerAborted);
}

TEST_CASE("processes that are resized, or stay as they are, go on as fresh runs from the checkpoint do") {
  auto const check = [](auto const& optimizer) {
    World const world;
    resize_case::check(world.communicator, [&](auto const& communicator, std::vector<float>& kept) {
      return weir::AllReduce{communicator} | KeepGradient{kept} | optimizer;
    });
  };
  check(weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check(weir::WeightSync{weir::WeightPolicy::overlap, weir::AdamW{{.learning_rate = 0.01}}});
}
