// Once memory is reserved, collectives over MPI take none of ours, nor do the steps of a recipe that is
// bound. What MPI takes for itself is not counted, so this counts in operator new, and not below it as the
// suite of counting/ does.
#include <doctest/doctest.h>
#include <mpi.h>

#include <cstddef>
#include <span>
#include <vector>

#include "counting/counters.hpp"
#include "counting/counting_new.hpp"
#include "fault/training.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/host/executor.hpp"
#include "weir/mpi/communicator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// Between two meetings of all ranks, so that one test does not run into the next.
struct World {
  World() { MPI_Barrier(MPI_COMM_WORLD); }
  World(World const&) = delete;
  World& operator=(World const&) = delete;
  ~World() { MPI_Barrier(MPI_COMM_WORLD); }

  weir::MpiCommunicator communicator{MPI_COMM_WORLD};
};

template <class Work>
std::size_t allocations_of(Work const& work) {
  std::size_t const before = counters::allocations;
  work();
  return counters::allocations - before;
}

/// Steps 3 to 10 of a recipe that ends in `stages`.
template <class Stages>
void check_steps(weir::MpiCommunicator const& communicator, Stages const& stages) {
  auto const plan = weir::BucketPlan::by_bytes({160, 12, 4000, 68}, 64, 512);
  TestModel<> const model{plan.parameters()};
  for (std::size_t const micro_batches : {1u, 2u}) {
    weir::HostExecutor const executor;
    weir::StreamWorkerPool workers{executor, {.workers = 2, .buckets = plan, .local_batch = 2}};
    std::vector<float> weights = small_integers(plan.elements());
    auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | stages)
                    .on(workers, weir::view(weights));
    auto const samples = small_integers(communicator.size() * 2 * micro_batches * 2);
    auto const train = [&](int steps) {
      for (int step = 0; step < steps; ++step) sync(workers(std::span<float const>(samples), model));
      sync.wait();
    };
    train(2);
    CHECK(allocations_of([&] { train(8); }) == 0);
  }
}

}  // namespace

TEST_CASE("allocations are counted, on every thread" * doctest::skip(UNDER_THREAD_SANITIZER)) {
  weir::HostExecutor const executor;
  std::vector<int> numbers;
  CHECK(allocations_of([&] {
          executor.submit([&numbers] { numbers.resize(100); });
          executor.synchronize();
        }) > 0);
}

TEST_CASE("a collective over processes takes no memory behind `reserve`, the first time neither") {
  World const world;
  weir::MpiCommunicator const& communicator = world.communicator;
  weir::HostExecutor const executor;
  constexpr std::size_t most = 300'000;
  communicator.reserve(executor, most * sizeof(float));
  executor.synchronize();
  for (std::size_t const count : {std::size_t{12}, most}) {
    std::size_t const ranks = communicator.size();
    std::vector<float> data(count), all(count * ranks),
        part(count * (communicator.rank() + 1) / ranks - count * communicator.rank() / ranks);
    auto const work = [&] {
      for (int time = 0; time < 3; ++time) {
        communicator.all_reduce(executor, weir::view(data));
        communicator.all_gather(executor, weir::view(data), weir::view(all));
        communicator.reduce_scatter(executor, weir::view(data), weir::view(part));
        communicator.broadcast(executor, weir::view(data), 1);
      }
      executor.synchronize();
    };
    CAPTURE(count);
    CHECK(allocations_of(work) == 0);
  }
}

TEST_CASE("steps 3 to 10 over processes take no memory") {
  World const world;
  weir::AllReduce const sum{world.communicator};
  check_steps(world.communicator, sum | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check_steps(world.communicator, sum | weir::UsedParameters{world.communicator} |
                                      weir::Clip{{.max_norm = 0.1}} | weir::AdamW{{.learning_rate = 0.01}});
  check_steps(world.communicator,
              weir::ShardedUpdate{world.communicator, weir::AdamW{{.learning_rate = 0.01}}});
}
