// An exception at every place from which one can come: it ends the step within a second, it is rethrown once,
// with the worker and the micro-batch if a model threw it, and the pool works again afterwards.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
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
#include "weir/state/archive.hpp"

namespace {

using weir::GradAccumulator;
using weir::LocalAggregator;
using weir::Sgd;

constexpr std::size_t workers = 3;
constexpr std::size_t micro_batches = 2;

struct Failure : std::runtime_error {
  Failure() : std::runtime_error("on purpose") {}
};

weir::BucketPlan three_buckets() {
  return weir::BucketPlan::per_parameter({{.elements = 8}, {.elements = 50}, {.elements = 3}});
}

/// Goes off once: a step that has failed is tried again under the same number.
class Once {
 public:
  explicit Once(bool is_armed = true) : is_armed_(std::make_shared<std::atomic<bool>>(is_armed)) {}
  void go_off() const {
    if (is_armed_->exchange(false)) throw Failure();
  }

 private:
  std::shared_ptr<std::atomic<bool>> is_armed_;
};

class Stopwatch {
 public:
  /// Sooner than by the deadline of a communicator.
  bool is_soon() const { return std::chrono::steady_clock::now() - begin_ < std::chrono::seconds(10); }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Throws in one micro-batch, before, between or after its reports.
struct ThrowingModel {
  TestModel<> clean{3};
  std::uint64_t step = 0;
  std::size_t worker = 0;
  std::size_t micro_batch = 0;
  std::size_t reports_before = 0;
  Once once = Once();

  template <class Micro>
  void operator()(Micro& micro) const {
    if (micro.step() != step || micro.worker() != worker || micro.index() != micro_batch) return clean(micro);
    if (reports_before == 0) once.go_off();
    for (std::size_t parameter = 0; parameter < 3; ++parameter) {
      auto const gradient = micro.gradient(parameter);
      for (float& element : gradient) element = 1.0f;
    }
    for (std::size_t bucket = 0; bucket < reports_before; ++bucket) micro.ready(bucket);
    once.go_off();
  }
};

}  // namespace

TEST_CASE("a model that throws: every worker, every micro-batch, after any number of reports") {
  auto const samples = small_integers(workers * micro_batches);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    for (std::size_t t = 0; t < micro_batches; ++t) {
      for (std::size_t reports = 0; reports <= 3; ++reports) {
        CAPTURE(worker);
        CAPTURE(t);
        CAPTURE(reports);
        weir::HostExecutor const executor;
        weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = three_buckets()}};
        auto weights = small_integers(61);
        auto sync = (GradAccumulator{micro_batches} | LocalAggregator{} |
                     Sgd{{.learning_rate = 0.25, .momentum = 0.5}})
                        .on(pool, weir::view(weights));
        TestModel<> const clean{3};
        sync(pool(std::span(samples), clean));
        sync.wait();
        weir::Archive archive;
        sync.save(archive);
        auto const before = weights;

        Stopwatch const stopwatch;
        ThrowingModel const model{.step = 1, .worker = worker, .micro_batch = t, .reports_before = reports};
        sync(pool(std::span(samples), model));
        try {
          sync.wait();
          FAIL("nothing was thrown");
        } catch (weir::WorkerError const& error) {
          CHECK(error.worker() == worker);
          CHECK(error.micro_batch() == t);
          CHECK_THROWS_AS(std::rethrow_exception(error.cause()), Failure);
          CHECK(std::string(error.what()).find("on purpose") != std::string::npos);
        }
        CHECK(stopwatch.is_soon());
        CHECK_NOTHROW(sync.wait());

        // Before all workers have reported a bucket in the last micro-batch nothing can have been applied.
        bool const may_be_torn = t + 1 == micro_batches && reports > 0;
        if (!may_be_torn) CHECK(weights == before);
        sync.load(archive);
        CHECK(weights == before);
        sync(pool(std::span(samples), clean));
        sync.wait();

        auto expected = small_integers(61);
        weir::StreamWorkerPool other{executor, {.workers = workers, .buckets = three_buckets()}};
        auto undisturbed = (GradAccumulator{micro_batches} | LocalAggregator{} |
                            Sgd{{.learning_rate = 0.25, .momentum = 0.5}})
                               .on(other, weir::view(expected));
        for (int step = 0; step < 2; ++step) undisturbed(other(std::span(samples), clean));
        undisturbed.wait();
        CHECK(weights == expected);
      }
    }
  }
}

TEST_CASE("of several workers that throw the lowest is reported") {
  auto const samples = small_integers(4);
  for (int repeat = 0; repeat < 20; ++repeat) {
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 4, .buckets = three_buckets()}};
    auto weights = small_integers(61);
    auto sync = (LocalAggregator{} | Sgd{{.learning_rate = 0.25}}).on(pool, weir::view(weights));
    std::barrier together(3);
    auto const model = [&](auto& micro) {
      if (micro.worker() == 0) return TestModel<>{3}(micro);
      together.arrive_and_wait();
      throw Failure();
    };
    sync(pool(std::span<float const>(samples), model));
    try {
      sync.wait();
      FAIL("nothing was thrown");
    } catch (weir::WorkerError const& error) {
      CHECK(error.worker() == 1);
    }
    CHECK(weights == small_integers(61));
  }
}

TEST_CASE("the next step rethrows a failure that nobody has waited for, and works the time after") {
  auto const samples = small_integers(workers);
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = three_buckets()}};
  auto weights = small_integers(61);
  auto sync = (LocalAggregator{} | Sgd{{.learning_rate = 0.25}}).on(pool, weir::view(weights));
  ThrowingModel const model{.step = 0, .worker = 1};
  sync(pool(std::span(samples), model));
  executor.synchronize();
  CHECK_THROWS_AS(sync(pool(std::span(samples), model)), weir::WorkerError);
  CHECK(weights == small_integers(61));
  CHECK_NOTHROW(sync(pool(std::span(samples), model)));
  CHECK_NOTHROW(sync.wait());
  CHECK(weights != small_integers(61));
}

namespace {

enum class Hook { call, begin_step, end_step, prepare, decide };

/// A stage of form `Form` that throws in `hook` for one bucket of one step, and else does nothing.
template <class Form, bool NeedsAll>
struct ThrowingStage {
  using consumes = Form;
  using produces = Form;
  static constexpr bool needs_all_buckets = NeedsAll;

  Hook hook = Hook::call;
  std::uint64_t step = 0;
  std::size_t bucket = 0;
  Once once = Once();

  template <weir::Executor E, class Real>
  auto on(weir::RecipeContext<E, Real> const&) const {
    return Bound{*this};
  }

  struct Bound {
    ThrowingStage stage;

    template <class Gradient>
    std::conditional_t<std::is_same_v<Form, weir::PerWorker>, std::optional<Gradient>, Gradient> operator()(
        Gradient const& gradient) const {
      throw_in(Hook::call, gradient.step.number, gradient.bucket);
      return gradient;
    }
    template <class E>
    void begin_step(E const&, weir::StepInfo const& now) const {
      throw_in(Hook::begin_step, now.number, stage.bucket);
    }
    template <class E>
    void end_step(E const&, weir::StepInfo const& now) const {
      throw_in(Hook::end_step, now.number, stage.bucket);
    }
    template <class Gradient>
    void prepare(Gradient& gradient) const {
      throw_in(Hook::prepare, gradient.step.number, gradient.bucket);
    }
    template <class E>
    void decide(E const&, weir::StepInfo const& now) const {
      throw_in(Hook::decide, now.number, stage.bucket);
    }

    void throw_in(Hook here, std::uint64_t number, std::size_t of_bucket) const {
      if (here == stage.hook && number == stage.step && of_bucket == stage.bucket) stage.once.go_off();
    }
  };
};

using OnWorker = ThrowingStage<weir::PerWorker, false>;
using OnDevice = ThrowingStage<weir::Dense, false>;
using Collecting = ThrowingStage<weir::Dense, true>;
using AfterUpdate = ThrowingStage<weir::Applied, false>;

/// Steps 0 and 1, of which the second fails. Afterwards the weights are as before it and training goes on, or
/// the step is torn, and a checkpoint makes it whole. `Torn`: whether buckets had been applied.
enum class Torn { no, yes };

template <class Recipe, class CleanRecipe>
void check_failure(Recipe const& recipe, CleanRecipe const& clean_recipe, Torn torn) {
  auto const samples = small_integers(workers * micro_batches);
  TestModel<> const model{3};
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = three_buckets()}};
  auto weights = small_integers(61);
  auto sync = recipe.on(pool, weir::view(weights));
  sync(pool(std::span(samples), model));
  sync.wait();
  auto const before = weights;
  weir::Archive archive;
  sync.save(archive);

  Stopwatch const stopwatch;
  sync(pool(std::span(samples), model));
  CHECK_THROWS_AS(sync.wait(), Failure);
  CHECK(stopwatch.is_soon());
  CHECK_NOTHROW(sync.wait());

  if (torn == Torn::yes) {
    CHECK(weights != before);
    CHECK_THROWS_AS(sync(pool(std::span(samples), model)), weir::TornStep);
    CHECK_THROWS_AS(sync(pool(std::span(samples), model)), weir::TornStep);
    weights = before;
    sync.restored();
  } else {
    CHECK(weights == before);
  }
  sync(pool(std::span(samples), model));
  sync.wait();

  auto expected = small_integers(61);
  weir::StreamWorkerPool other{executor, {.workers = workers, .buckets = three_buckets()}};
  auto undisturbed = clean_recipe.on(other, weir::view(expected));
  for (int step = 0; step < 2; ++step) undisturbed(other(std::span(samples), model));
  undisturbed.wait();
  CHECK(weights == expected);
}

}  // namespace

TEST_CASE("a stage that throws, in every position and hook, for every bucket") {
  GradAccumulator const accumulator{micro_batches};
  LocalAggregator const aggregator;
  weir::AllReduce const all_reduce{weir::SelfCommunicator{}};
  Sgd const sgd{{.learning_rate = 0.25}};
  auto const clean = accumulator | aggregator | sgd;
  for (std::size_t bucket = 0; bucket < 3; ++bucket) {
    CAPTURE(bucket);
    // Buckets before this one have been applied when it fails, unless something holds all of them.
    Torn const torn = bucket == 0 ? Torn::no : Torn::yes;
    auto const at = [&](Hook hook) { return OnDevice{.hook = hook, .step = 1, .bucket = bucket}; };

    check_failure(accumulator | aggregator | at(Hook::call) | all_reduce | sgd, clean, torn);
    check_failure(accumulator | aggregator | all_reduce | at(Hook::call) | sgd, clean, torn);
    check_failure(accumulator | aggregator | at(Hook::begin_step) | sgd, clean, Torn::no);
    check_failure(accumulator | aggregator | at(Hook::end_step) | sgd, clean, Torn::yes);
    check_failure(accumulator | aggregator | at(Hook::call) | weir::Clip{{.max_norm = 1e9}} | sgd, clean,
                  Torn::no);
    check_failure(
        accumulator | aggregator | at(Hook::call) | weir::WeightSync{weir::WeightPolicy::sequential, sgd},
        clean, Torn::no);

    auto const collecting = [&](Hook hook) { return Collecting{.hook = hook, .step = 1, .bucket = bucket}; };
    for (Hook hook : {Hook::prepare, Hook::decide})
      check_failure(accumulator | aggregator | collecting(hook) | all_reduce | sgd, clean, Torn::no);
    check_failure(accumulator | aggregator | collecting(Hook::call) | sgd, clean, torn);
  }
}

TEST_CASE("a stage on the worker's stream that throws") {
  Sgd const sgd{{.learning_rate = 0.25}};
  auto const clean = GradAccumulator{micro_batches} | LocalAggregator{} | sgd;
  for (std::size_t bucket = 0; bucket < 3; ++bucket) {
    CAPTURE(bucket);
    auto const stage = [&] { return OnWorker{.step = 1, .bucket = bucket}; };
    // Held by the clip until all buckets have come, so that nothing is applied.
    check_failure(
        stage() | GradAccumulator{micro_batches} | LocalAggregator{} | weir::Clip{{.max_norm = 1e9}} | sgd,
        clean, Torn::no);
    check_failure(
        GradAccumulator{micro_batches} | stage() | LocalAggregator{} | weir::Clip{{.max_norm = 1e9}} | sgd,
        clean, Torn::no);
  }
}

TEST_CASE("a stage that throws after an update has torn the step") {
  Sgd const sgd{{.learning_rate = 0.25}};
  auto const samples = small_integers(workers);
  TestModel<> const model{3};
  for (std::size_t bucket = 0; bucket < 3; ++bucket) {
    CAPTURE(bucket);
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = three_buckets()}};
    auto weights = small_integers(61);
    auto sync =
        (LocalAggregator{} | sgd | AfterUpdate{.step = 0, .bucket = bucket}).on(pool, weir::view(weights));
    sync(pool(std::span(samples), model));
    CHECK_THROWS_AS(sync.wait(), Failure);
    CHECK(weights != small_integers(61));
    CHECK_THROWS_AS(sync(pool(std::span(samples), model)), weir::TornStep);
  }
}

TEST_CASE("a rank that fails makes the others fail within a second, wherever it failed") {
  auto const samples = small_integers(2 * workers);
  for (std::size_t failing = 0; failing < 2; ++failing) {
    for (std::size_t bucket = 0; bucket < 3; ++bucket) {
      for (bool const before_collective : {true, false}) {
        CAPTURE(failing);
        CAPTURE(bucket);
        CAPTURE(before_collective);
        auto const group = weir::ThreadCommunicator::group(2);
        auto const recipe = [&](std::size_t rank) {
          OnDevice const before{
              .step = 1, .bucket = bucket, .once = Once(rank == failing && before_collective)};
          OnDevice const after{
              .step = 1, .bucket = bucket, .once = Once(rank == failing && !before_collective)};
          return LocalAggregator{} | before | weir::AllReduce{group[rank]} | after |
                 Sgd{{.learning_rate = 0.25}};
        };
        Ranks ranks(2, {.workers = workers, .buckets = three_buckets()}, recipe);
        TestModel<> const model{3};
        ranks.step(samples, model);
        ranks.wait();
        Stopwatch const stopwatch;
        ranks.step(samples, model);
        CHECK_THROWS_AS(ranks[failing].sync.wait(), Failure);
        bool const is_last_collective = bucket == 2 && !before_collective;
        if (!is_last_collective) {
          // The other rank has a collective ahead that nobody joins.
          CHECK_THROWS_AS(ranks[1 - failing].sync.wait(), weir::PeerAborted);
        }
        CHECK(stopwatch.is_soon());
      }
    }
  }
}

TEST_CASE("a rank whose model fails makes the others fail within a second") {
  auto const samples = small_integers(2 * workers * micro_batches);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    for (std::size_t t = 0; t < micro_batches; ++t) {
      auto const group = weir::ThreadCommunicator::group(2);
      auto const recipe = [&](std::size_t rank) {
        return GradAccumulator{micro_batches} | LocalAggregator{} | weir::AllReduce{group[rank]} |
               Sgd{{.learning_rate = 0.25}};
      };
      Ranks ranks(2, {.workers = workers, .buckets = three_buckets()}, recipe);
      ThrowingModel const failing{.step = 0, .worker = worker, .micro_batch = t};
      TestModel<> const clean{3};
      Stopwatch const stopwatch;
      ranks[0].sync(ranks[0].pool(std::span(samples), clean));
      ranks[1].sync(ranks[1].pool(std::span(samples), failing));
      CHECK_THROWS_AS(ranks[1].sync.wait(), weir::WorkerError);
      CHECK_THROWS_AS(ranks[0].sync.wait(), weir::PeerAborted);
      CHECK(stopwatch.is_soon());
      CHECK(ranks[0].weights == small_integers(61));
      CHECK(ranks[1].weights == small_integers(61));
    }
  }
}
