#include "weir/pipeline/bound_pipeline.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "support/bits.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"

namespace {

using namespace std::chrono_literals;
using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::DoubleBuffer>;
scalar_chain::Batch const data(scalar_chain::samples);

/// The chain, with something to happen in a call: `hook(micro, is_forward)`.
struct Hooked {
  std::atomic<int> stage = -1;  // in which it happens
  std::atomic<int> index = 0;
  std::atomic<bool> in_forward = true;
  std::atomic<int> sleep_ms = 0;  // instead of throwing
  std::atomic<bool> spoils_gradient = false;

  void forward(auto& micro) {
    happen(micro, true);
    scalar_chain::Model{}.forward(micro);
  }
  void backward(auto& micro) {
    if (!spoils_gradient) happen(micro, false);
    scalar_chain::Model{}.backward(micro);
    if (spoils_gradient && static_cast<int>(micro.stage()) == stage)
      micro.gradient(0)[0] = std::numeric_limits<double>::quiet_NaN();
  }
  void happen(auto& micro, bool is_forward) {
    if (static_cast<int>(micro.stage()) != stage || static_cast<int>(micro.index()) != index ||
        is_forward != in_forward || micro.is_evaluation())
      return;
    if (sleep_ms == 0) throw std::runtime_error("no more");
    std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms));
  }
};

weir::ScheduleTable wpipe(std::uint32_t n, std::uint32_t period = 2) {
  return weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = n, .period = period});
}
weir::ScheduleTable flush() {
  return weir::make_table<weir::OneFOneB>({.workers = 4, .micro_batches = 4});
}

struct Run {
  explicit Run(weir::ScheduleTable const& table, weir::PipelineOptions options = {})
      : pipe(executor, table, with_stages(std::move(options))) {}

  static weir::PipelineOptions with_stages(weir::PipelineOptions options) {
    options.stages = scalar_chain::layouts(4);
    return options;
  }
  auto bind() {
    return (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  }

  weir::HostExecutor executor;
  std::vector<double> weights = scalar_chain::initial_weights();
  Pipe pipe;
  Hooked model;
};

template <class Sync>
std::string failure_of(Sync& sync) {
  try {
    sync.drain();
  } catch (weir::PipelineError const& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("drain makes exactly N / M updates on every stage") {
  for (std::uint32_t n : {2u, 4u, 8u}) {
    Run run(wpipe(n));
    auto sync = run.bind();
    for (int round = 0; round < 3; ++round) sync(run.pipe(data.first(n), run.model));
    sync.drain();
    CHECK(sync.updates() == std::vector<std::uint64_t>(4, 3 * n / 2));
  }
}

TEST_CASE("micro-batches that do not fill a period: refused, dropped, or a last update over what there is") {
  std::vector<double> whole;
  {
    Run run(wpipe(8));
    auto sync = run.bind();
    sync(run.pipe(data.first(4), run.model));
    sync.drain();
    whole = run.weights;
    CHECK_THROWS_AS(sync(run.pipe(data.first(5), run.model)), weir::ContractViolation);
  }
  {
    Run run(wpipe(8), {.remainder = weir::Remainder::drop});
    auto sync = run.bind();
    sync(run.pipe(data.first(5), run.model));
    sync.drain();
    CHECK(same_bits(run.weights, whole));
    CHECK(sync.updates() == std::vector<std::uint64_t>(4, 2));
  }
  {
    // The last one: a period of one micro-batch, at version 1 in the first group and 2 in the second.
    Run first(wpipe(2));
    auto first_sync = first.bind();
    first_sync(first.pipe(data.first(2), first.model));
    first_sync.drain();
    Run run(wpipe(8), {.remainder = weir::Remainder::partial});
    auto sync = run.bind();
    sync(run.pipe(data.first(5), run.model));
    sync.drain();
    CHECK(sync.updates() == std::vector<std::uint64_t>(4, 3));
    double const w[4] = {first.weights[0], first.weights[1], whole[2], whole[3]};
    double x[5] = {data[4].x};
    for (int s = 0; s < 4; ++s) x[s + 1] = w[s] * x[s];
    double gradient = x[4] - data[4].target;
    for (int s = 3; s >= 0; --s) {
      CHECK(run.weights[static_cast<std::size_t>(s)] ==
            doctest::Approx(whole[static_cast<std::size_t>(s)] - 0.25 * gradient * x[s]).epsilon(1e-14));
      gradient *= w[s];
    }
  }
}

TEST_CASE("an exception in any stage and micro-batch ends in one error that names worker and operation") {
  for (int stage = 0; stage < 4; ++stage) {
    for (int index = 0; index < 4; ++index) {
      for (bool const in_forward : {true, false}) {
        Run run(flush());
        auto sync = run.bind();
        run.model.stage = stage;
        run.model.index = index;
        run.model.in_forward = in_forward;
        sync(run.pipe(data.first(4), run.model));
        std::string const cell = std::to_string(stage) + (in_forward ? "F" : "B") + std::to_string(index);
        CHECK(failure_of(sync) == "worker " + std::to_string(stage) + ", " + cell + ": no more");
        CHECK(failure_of(sync) == "");
        // The stages behind may have had their last backward, and their update.
        auto const initial = scalar_chain::initial_weights();
        for (std::size_t s = 0; s <= static_cast<std::size_t>(stage); ++s)
          CHECK(run.weights[s] == initial[s]);
        bool const is_torn = sync.updates() != std::vector<std::uint64_t>(4, 0);
        if (stage < 3 && index == 3 && !in_forward) CHECK(is_torn);
        if (stage == 3 || in_forward) CHECK(!is_torn);
        if (is_torn) {
          CHECK_THROWS_AS(sync(run.pipe(data.first(4), run.model)), weir::TornStep);
        } else {
          CHECK_THROWS_WITH_AS(sync(run.pipe(data.first(4), run.model)),
                               "this pipeline has failed: reset() would make it usable again",
                               weir::ContractViolation);
        }
      }
    }
  }
}

TEST_CASE("a run that has updated some stages and not others is torn: refused until weights are restored") {
  for (bool const has_flush : {true, false}) {
    for (bool const is_loaded : {true, false}) {
      auto const table = has_flush ? flush() : wpipe(4);
      Run plain(table);
      auto expected = plain.bind();
      for (int i = 0; i < 2; ++i) expected(plain.pipe(data.first(4), plain.model));
      expected.drain();

      Run run(table);
      auto sync = run.bind();
      sync(run.pipe(data.first(4), run.model));
      weir::Archive saved;
      sync.save(saved);
      auto const before = run.weights;

      run.model.stage = 0;  // of which the last backward is the last of all
      run.model.index = has_flush ? 3 : 1;
      run.model.in_forward = false;
      sync(run.pipe(data.first(4), run.model));
      CHECK(failure_of(sync).find("no more") != std::string::npos);
      run.model.stage = -1;
      auto const counts = sync.updates();
      CHECK(counts.front() < counts.back());
      if (has_flush) CHECK(counts == std::vector<std::uint64_t>{1, 2, 2, 2});
      for (std::size_t s = 0; s < 4; ++s) {
        bool const is_as_before = run.weights[s] == before[s];
        CHECK(is_as_before == (counts[s] == counts.front()));
      }

      auto const torn = run.weights;
      auto const refused = [&](auto const& call) {
        try {
          call();
        } catch (weir::TornStep const& error) {
          std::string const text = error.what();
          return text.find(has_flush ? "(1 2 2 2 updates in this process)" : " updates in") !=
                     std::string::npos &&
                 text.find("restored()") != std::string::npos;
        }
        return false;
      };
      weir::Archive unused;
      CHECK(refused([&] { sync(run.pipe(data.first(4), run.model)); }));
      CHECK(refused([&] { sync.evaluate(run.pipe(data.first(4), run.model)); }));
      CHECK(refused([&] { sync.save(unused); }));
      CHECK(refused([&] { sync.reset(); }));
      CHECK(refused([&] { sync.reset(); }));
      CHECK(same_bits(run.weights, torn));

      if (is_loaded) {
        sync.load(saved);
      } else {
        std::copy(before.begin(), before.end(), run.weights.begin());  // in place
        sync.restored();
      }
      sync(run.pipe(data.first(4), run.model));
      sync.drain();
      CHECK(same_bits(run.weights, plain.weights));
    }
  }
}

TEST_CASE("an update that fails in one part has torn the step of all") {
  Run run(flush());
  auto sync = (weir::LocalAggregator{} | weir::NonFinite{weir::NonFinitePolicy::error} |
               weir::Sgd{{.learning_rate = 0.25}})
                  .on(run.pipe, weir::view(run.weights));
  run.model.stage = 2;
  run.model.in_forward = false;
  run.model.spoils_gradient = true;
  sync(run.pipe(data.first(4), run.model));
  CHECK(failure_of(sync).find("worker 2, 2UPDATE0: ") == 0);
  CHECK(sync.updates() == std::vector<std::uint64_t>{1, 1, 0, 1});
  CHECK(run.weights[2] == scalar_chain::initial_weights()[2]);
  CHECK_THROWS_AS(sync.reset(), weir::TornStep);
}

TEST_CASE("after a reset a pipeline goes on with the weights of the last update") {
  for (bool const has_flush : {true, false}) {
    auto const table = has_flush ? flush() : wpipe(4);
    Run plain(table);
    auto expected = plain.bind();
    for (int i = 0; i < 2; ++i) expected(plain.pipe(data.first(4), plain.model));
    expected.drain();

    Run run(table);
    auto sync = run.bind();
    if (has_flush) {
      sync(run.pipe(data.first(4), run.model));
      sync.drain();
    }
    run.model.stage = 2;
    run.model.index = 0;
    sync(run.pipe(data.first(4), run.model));
    CHECK_THROWS_AS(sync.drain(), weir::PipelineError);
    run.model.stage = -1;
    sync.reset();
    sync(run.pipe(data.first(4), run.model));
    if (!has_flush) sync(run.pipe(data.first(4), run.model));
    sync.drain();
    CHECK(same_bits(run.weights, plain.weights));
  }
}

TEST_CASE("the watchdog names what each worker is at, and the edge that it waits for") {
  Run run(flush(), {.watchdog = 500ms});
  auto sync = run.bind();
  run.model.stage = 1;
  run.model.index = 2;
  run.model.sleep_ms = 2'000;
  sync(run.pipe(data.first(4), run.model));
  std::string const text = failure_of(sync);
  CAPTURE(text);
  CHECK(text.find("nothing has gone on for 500 ms") != std::string::npos);
  CHECK(text.find("worker 0 at 0B0 waits for a message on edge 1 -> 0 (B)") != std::string::npos);
  CHECK(text.find("worker 1 at 1F2 is computing") != std::string::npos);
}

TEST_CASE("an evaluation gives the losses of the latest weights, and changes nothing") {
  for (bool const has_flush : {true, false}) {
    auto const table = has_flush ? flush() : wpipe(4);
    Run run(table);
    auto sync = run.bind();
    Run plain(table);
    auto expected = plain.bind();
    for (int i = 0; i < 3; ++i) {
      sync(run.pipe(data.first(4), run.model));
      expected(plain.pipe(data.first(4), plain.model));
      weir::LossSum const loss = sync.evaluate(run.pipe(data.first(3), run.model));
      double sum = 0;
      for (std::size_t j = 0; j < 3; ++j) {
        double y = data[j].x;
        for (double const w : run.weights) y *= w;
        sum += (y - data[j].target) * (y - data[j].target) / 2;
      }
      CHECK(loss.samples == 3);
      CHECK(loss.sum == doctest::Approx(sum).epsilon(1e-14));
    }
    expected.drain();
    CHECK(same_bits(run.weights, plain.weights));
    CHECK(run.pipe.take_loss().samples == 12);
  }
}

TEST_CASE("changing the caller's weights between runs is seen after restored()") {
  Run run(wpipe(4));
  auto sync = run.bind();
  sync(run.pipe(data.first(4), run.model));
  sync.drain();
  auto const expected = run.weights;
  auto const initial = scalar_chain::initial_weights();
  std::copy(initial.begin(), initial.end(), run.weights.begin());  // in place
  sync.restored();
  sync(run.pipe(data.first(4), run.model));
  sync.drain();
  CHECK(same_bits(run.weights, expected));
}

TEST_CASE("the learning rate is that of the runs started later") {
  Run run(flush());
  auto sync = run.bind();
  sync.set_learning_rate(0.0);
  sync(run.pipe(data.first(4), run.model));
  sync.drain();
  CHECK(run.weights == scalar_chain::initial_weights());
}

TEST_CASE("a pipeline that was saved and loaded goes on with the bits of the one that was not") {
  for (bool const has_flush : {true, false}) {
    CAPTURE(has_flush);
    auto const table = has_flush ? flush() : wpipe(2);
    std::size_t const n = table.properties().micro_batches;
    auto const bind = [](Run& run) {
      return (weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.05}})
          .on(run.pipe, weir::view(run.weights));
    };
    auto const train = [&](Run& run, auto& sync, int first, int last) {
      for (int i = first; i < last; ++i) sync(run.pipe(data.subspan(i % 2 == 0 ? 0 : 4, n), run.model));
      sync.drain();
    };
    Run whole(table);
    auto uninterrupted = bind(whole);
    train(whole, uninterrupted, 0, 7);

    weir::Archive archive;
    Run first(table);
    auto before = bind(first);
    train(first, before, 0, 3);  // after which the versions do not lie as at the beginning
    before.save(archive);
    train(first, before, 3, 7);  // saving changes nothing
    CHECK(same_bits(first.weights, whole.weights));

    weir::Archive const read = weir::Archive::from_bytes(archive.bytes());
    Run second(table);
    auto after = bind(second);
    train(second, after, 0, 2);  // which loading makes undone
    after.load(read);
    weir::Archive again;
    after.save(again);
    CHECK(again.bytes() == archive.bytes());
    CHECK(after.updates() == std::vector<std::uint64_t>(4, 3));
    train(second, after, 3, 7);
    CHECK(same_bits(second.weights, whole.weights));

    // After a failure, too.
    second.model.stage = 1;
    after(second.pipe(data.first(n), second.model));
    CHECK(failure_of(after) != "");
    CHECK_THROWS_AS(after.save(again), weir::ContractViolation);
    second.model.stage = -1;
    after.load(read);
    train(second, after, 3, 7);
    CHECK(same_bits(second.weights, whole.weights));
  }
}

TEST_CASE("an archive of another pipeline is refused by name, and nothing is changed") {
  Run run(wpipe(4), {.seed = 3});
  auto sync = run.bind();
  sync(run.pipe(data.first(4), run.model));
  weir::Archive archive;
  sync.save(archive);
  auto const refusal = [&](weir::ScheduleTable const& table, weir::PipelineOptions const& options,
                           weir::LoadOptions how = {}) {
    Run other(table, options);
    auto into = other.bind();
    std::string text;
    try {
      into.load(archive, how);
    } catch (weir::ArchiveError const& error) {
      text = error.what();
    }
    CHECK((other.weights == run.weights) == text.empty());
    into(other.pipe(data.first(4), other.model));
    into.drain();
    return text;
  };
  CHECK(refusal(wpipe(4), {.seed = 3}) == "");
  CHECK(refusal(wpipe(4), {.seed = 4}) == "the seed differs: 3 in the archive, 4 here");
  CHECK(refusal(wpipe(4), {.local_batch = 2, .seed = 3, .remainder = weir::Remainder::partial}) ==
        "the local batch differs: 1 in the archive, 2 here");
  CHECK(refusal(flush(), {.seed = 3}) ==
        "the number of micro-batches of an update differs: 2 in the archive, 4 here");
  CHECK(refusal(flush(), {.seed = 3}, {.strict = false}) == "");

  // A part that differs, behind one that does not.
  std::vector<double> weights(5, 0.5);
  weir::PipelineOptions options = Run::with_stages({.seed = 3});
  options.stages[1].parameters = {2};
  Pipe pipe{run.executor, wpipe(4), options};
  auto into = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  CHECK_THROWS_WITH_AS(
      into.load(archive),
      "the parameter 0 of the bucket plan differs: 1 of float64 in the archive, 2 of float64 here",
      weir::ArchiveError);
  CHECK(weights == std::vector<double>(5, 0.5));
}

TEST_CASE("saving between two flushes of one update is refused") {
  Run run(flush(), {.flushes_per_update = 2});
  auto sync = run.bind();
  weir::Archive archive;
  sync(run.pipe(data.first(4), run.model));
  CHECK_THROWS_WITH_AS(sync.save(archive),
                       "save: 1 flushes of an update of 2 have run; after the last one would be right",
                       weir::ContractViolation);
  sync(run.pipe(data.first(4), run.model));
  sync.save(archive);
  CHECK(archive.get_value<std::uint64_t>("pipeline.updates", 0) == 1);
}

TEST_CASE("a recipe with a loss scale is refused, since no stage would multiply its loss by it") {
  Run run(flush());
  CHECK_THROWS_WITH_AS(
      (weir::LocalAggregator{} | weir::LossScale{} | weir::Sgd{{}}).on(run.pipe, weir::view(run.weights)),
      doctest::Contains("a recipe with LossScale in a pipeline"), weir::ContractViolation);
}

TEST_CASE("a recipe that clips by the norm of the whole gradient is refused where there are parts of it") {
  Run run(flush());
  auto const clipped = [](bool per_bucket) {
    return weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.5, .per_bucket = per_bucket}} |
           weir::Sgd{{.learning_rate = 0.25}};
  };
  CHECK_THROWS_WITH_AS(clipped(false).on(run.pipe, weir::view(run.weights)),
                       doctest::Contains("clip (norm 0.500000) in a pipeline of 4 stages: "),
                       weir::ContractViolation);
  auto sync = clipped(true).on(run.pipe, weir::view(run.weights));
  sync(run.pipe(data.first(4), run.model));
  sync.drain();
  CHECK(sync.updates() == std::vector<std::uint64_t>(4, 1));
}

TEST_CASE("a pipeline of one stage clips by the norm of its gradient, which is whole") {
  weir::HostExecutor const executor;
  auto const table = weir::make_table<weir::OneFOneB>({.workers = 1, .micro_batches = 2});
  Pipe pipe(executor, table, {.stages = {{.parameters = {1}, .saved = 1}}});
  std::vector<double> weights = {1};
  Hooked model;
  auto sync = (weir::LocalAggregator{} | weir::Clip{{.max_norm = 0.0625}} | weir::Sgd{{.learning_rate = 1}})
                  .on(pipe, weir::view(weights));
  sync(pipe(data.first(2), model));
  sync.drain();
  CHECK(sync.recipe(0).template stage<weir::Clip>().norm() > 0.0625);
  CHECK(std::abs(weights[0] - 1) == doctest::Approx(0.0625).epsilon(1e-12));
}
