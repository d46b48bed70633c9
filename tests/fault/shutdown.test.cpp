// Objects that go while work is under way: the work ends first, nothing hangs, nothing is touched afterwards.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

using std::chrono::milliseconds;
using weir::AllReduce;
using weir::GradAccumulator;
using weir::LocalAggregator;

weir::BucketPlan small_plan() {
  return weir::BucketPlan::per_parameter({{.elements = 8}, {.elements = 500}, {.elements = 3}});
}

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  /// 0 to count - 1.
  unsigned operator()(unsigned count) { return static_cast<unsigned>(engine_() % count); }

 private:
  std::minstd_rand engine_;
};

/// Now and then slow, now and then throwing.
struct MoodyModel {
  TestModel<> clean{3};
  unsigned seed = 0;
  unsigned one_in = 0;  // throws; 0: never

  template <class Micro>
  void operator()(Micro& micro) const {
    Dice dice(seed + static_cast<unsigned>(micro.step() * 101 + micro.global_index() * 7));
    if (dice(3) == 0) std::this_thread::sleep_for(std::chrono::microseconds(dice(300)));
    if (one_in != 0 && dice(one_in) == 0) throw std::runtime_error("in a bad mood");
    clean(micro);
  }
};

}  // namespace

TEST_CASE("a recipe is destroyed at any time, after steps that succeed or fail") {
  Dice dice(1);
  auto const samples = small_integers(64);
  for (unsigned repeat = 0; repeat < 150; ++repeat) {
    CAPTURE(repeat);
    std::size_t const workers = 1 + dice(4);
    std::size_t const m = 1 + dice(3);
    MoodyModel const model{.seed = dice(1000000), .one_in = repeat % 2 == 0 ? 0u : 10u};
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = small_plan()}};
    auto weights = small_integers(511);
    weir::Sgd const sgd{{.learning_rate = 0.01, .momentum = 0.9}};
    auto const policy = static_cast<weir::WeightPolicy>(dice(3));
    auto sync = (GradAccumulator{m} | LocalAggregator{} | weir::Clip{{.max_norm = 1.0}} |
                 weir::WeightSync{policy, sgd})
                    .on(pool, weir::view(weights));
    for (unsigned step = dice(6); step > 0; --step) {
      try {
        sync(pool(std::span(samples).first(workers * m), model));
        if (dice(4) == 0) sync.wait();
        if (dice(8) == 0) sync.set_learning_rate(0.02);
      } catch (weir::WorkerError const&) {
      } catch (weir::TornStep const&) {
        sync.restored();
      }
    }
  }
}

TEST_CASE("steps are stopped from another thread at any time, once or twice") {
  Dice dice(3);
  auto const samples = small_integers(64);
  for (unsigned repeat = 0; repeat < 60; ++repeat) {
    CAPTURE(repeat);
    MoodyModel const model{.seed = dice(1000000)};
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = small_plan()}};
    auto weights = small_integers(511);
    auto sync = (GradAccumulator{2} | LocalAggregator{} | weir::Clip{{.max_norm = 1.0}} |
                 weir::Sgd{{.learning_rate = 0.01}})
                    .on(pool, weir::view(weights));
    std::thread stopper([&sync, delay = dice(2000), again = dice(2) == 0] {
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
      sync.stop();
      if (again) sync.stop();
    });
    bool was_stopped = false;
    for (unsigned step = 0; step < 4; ++step) {
      try {
        sync(pool(std::span(samples).first(6), model));
        if (step == 3) stopper.join();
        sync.wait();
      } catch (weir::StepStopped const&) {
        was_stopped = true;
      } catch (weir::TornStep const&) {
        try {
          sync.restored();
        } catch (weir::StepStopped const&) {  // again
          sync.restored();
        }
      }
      if (step == 3 && stopper.joinable()) stopper.join();
    }
    try {
      sync.wait();
    } catch (weir::StepStopped const&) {
      was_stopped = true;
    }
    CHECK(was_stopped);
    sync.restored();
    auto const before = sync.steps();
    sync(pool(std::span(samples).first(6), model));  // it works again
    sync.wait();
    CHECK(sync.steps() == before + 1);
  }
}

TEST_CASE("two ranks are destroyed in any order with steps under way") {
  Dice dice(2);
  auto const samples = small_integers(64);
  for (unsigned repeat = 0; repeat < 60; ++repeat) {
    CAPTURE(repeat);
    auto const group = weir::ThreadCommunicator::group(2);
    auto const recipe = [&](std::size_t rank) {
      return GradAccumulator{2} | LocalAggregator{} | AllReduce{group[rank]} |
             weir::Sgd{{.learning_rate = 0.01}};
    };
    MoodyModel const model{.seed = dice(1000000), .one_in = repeat % 2 == 0 ? 0u : 20u};
    using All = Ranks<decltype(recipe)>;
    All ranks(2, {.workers = 2, .buckets = small_plan()}, recipe);
    try {
      for (unsigned step = dice(5); step > 0; --step) ranks.step(std::span(samples).first(8), model);
    } catch (weir::WorkerError const&) {
    } catch (weir::PeerAborted const&) {
    } catch (weir::TornStep const&) {
    }
  }
}

TEST_CASE("a rank that takes no part lets the other fail by its deadline, and then go") {
  auto const samples = small_integers(4);
  TestModel<> const model{3};
  auto const group = weir::ThreadCommunicator::group(2, {.deadline = milliseconds(2000)});
  auto const recipe = [&](std::size_t rank) {
    return LocalAggregator{} | AllReduce{group[rank]} | weir::Sgd{{.learning_rate = 0.01}};
  };
  Ranks ranks(2, {.workers = 2, .buckets = small_plan()}, recipe);
  ranks.step(samples, model);
  ranks.wait();
  auto const begin = std::chrono::steady_clock::now();
  ranks[0].sync(ranks[0].pool(std::span<float const>(samples), model));
  CHECK_THROWS_AS(ranks[0].sync.wait(), weir::PeerTimeout);
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(20'000));
}

TEST_CASE("a rank that has gone makes the other fail at once") {
  auto const samples = small_integers(4);
  TestModel<> const model{3};
  auto const recipe = [&](weir::ThreadCommunicator const& communicator) {
    return LocalAggregator{} | AllReduce{communicator} | weir::Sgd{{.learning_rate = 0.01}};
  };
  auto group = weir::ThreadCommunicator::group(2);
  weir::WorkerOptions const options{.workers = 2, .buckets = small_plan()};
  weir::HostExecutor const stays, goes;
  weir::StreamWorkerPool pool{stays, options};
  weir::StreamWorkerPool other{goes, options};
  auto weights = small_integers(511);
  auto weights_of_other = weights;
  auto sync = recipe(group[0]).on(pool, weir::view(weights));
  {
    auto const leaving = recipe(group[1]).on(other, weir::view(weights_of_other));
    group.clear();
  }
  auto const begin = std::chrono::steady_clock::now();
  CHECK_NOTHROW(sync(pool(std::span<float const>(samples), model)));
  CHECK_THROWS_AS(sync.wait(), weir::PeerAborted);
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(15'000));
  CHECK(weights == small_integers(511));
}

TEST_CASE("bound and destroyed at once, many times, with work enqueued while binding") {
  for (int repeat = 0; repeat < 100; ++repeat) {
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = small_plan()}};
    auto weights = small_integers(511);
    weir::Sgd const sgd{{.learning_rate = 0.01, .momentum = 0.9}};
    auto sync = (LocalAggregator{} | AllReduce{weir::SelfCommunicator{}} |
                 weir::WeightSync{weir::WeightPolicy::overlap, sgd})
                    .on(pool, weir::view(weights));
    if (repeat % 3 == 1) sync.resize({.workers = 5});
    if (repeat % 3 == 2) sync.set_learning_rate(0.5);
  }
}

TEST_CASE("the executor's last handle may go while its stream is at work") {
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<int> sum = 0;
    {
      weir::HostExecutor const executor;
      weir::HostExecutor const sibling = executor.fork();
      auto const event = executor.make_event();
      for (int i = 0; i < 100; ++i) {
        executor.submit([&sum] { ++sum; });
        executor.record(event);
        sibling.wait(event);
        sibling.submit([&sum] { ++sum; });
      }
    }
    CHECK(sum == 200);
  }
}
