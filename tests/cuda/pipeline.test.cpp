// Pipelines on CudaExecutor, on the stand-in: workers are streams, messages are events, and the weights have
// the bits of threads, whatever order the streams run in.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"

namespace {

constexpr std::size_t width = 5;
constexpr std::size_t batch = 2;

/// As many versions of all weights.
struct Versions {
  std::uint32_t count = 1;
  std::uint32_t versions(std::uint32_t, std::uint32_t) const { return count; }
};

/// Stages y = w x + random, where the last one's loss is half of y^2, and a stage may take in what an earlier
/// one gave, too. They only enqueue, on either executor.
struct Chain {
  bool has_skip = false;
  int throws_at = -1;  // in the backward of this stage

  template <class Micro>
  void forward(Micro& micro) const {
    stand_in::Inside const inside;
    auto const random = micro.random(static_cast<std::uint32_t>(micro.stage()));
    auto const weights = micro.weights(0);
    auto const saved = micro.saved();
    auto const output = micro.output();
    auto const samples = micro.samples();
    auto const input = micro.input();
    auto const skip = skip_of(micro);
    std::size_t const n = samples.size();
    bool const is_first = micro.is_first_stage();
    std::vector<stand_in::Access> accesses{stand_in::reads(weights)};
    stand_in::add_accesses(random, accesses);
    accesses.push_back(is_first ? stand_in::reads(samples) : stand_in::reads(input));
    if (skip.size() != 0) accesses.push_back(stand_in::reads(skip));
    accesses.push_back(stand_in::writes(saved));
    if (output.size() != 0) accesses.push_back(stand_in::writes(output));
    float const scale = micro.loss_scale() / static_cast<float>(n);
    stand_in::enqueue_on(micro.executor(), "a forward", accesses, [=] {
      float const offset = stand_in::random_of(random).uniform(0) / 8;
      for (std::size_t i = 0; i < n * width; ++i) {
        float const x = (is_first ? samples[i / width] : input[i]) + (skip.size() != 0 ? skip[i] : 0.0f);
        float const y = weights[i % width] * x + offset;
        saved[i] = x;
        saved[n * width + i] = y * scale;  // of use in the last stage
        if (output.size() != 0) output[i] = y;
      }
    });
  }

  template <class Micro>
  void backward_input(Micro& micro) const {
    stand_in::Inside const inside;
    if (static_cast<int>(micro.stage()) == throws_at && !micro.is_evaluation())
      throw std::runtime_error("no more");
    auto const weights = micro.weights(0);
    auto const gradient = output_gradient(micro);
    auto const below = micro.input_gradient();
    auto const skip = skip_gradient_of(micro);
    if (below.size() == 0) return;
    std::vector<stand_in::Access> accesses{stand_in::reads(weights), stand_in::reads(gradient),
                                           stand_in::writes(below)};
    if (skip.size() != 0) accesses.push_back(stand_in::writes(skip));
    stand_in::enqueue_on(micro.executor(), "the gradient of an input", accesses, [=] {
      for (std::size_t i = 0; i < below.size(); ++i) {
        below[i] = weights[i % width] * gradient[i];
        if (skip.size() != 0) skip[i] = below[i];
      }
    });
  }

  template <class Micro>
  void backward_weight(Micro& micro) const {
    stand_in::Inside const inside;
    auto const out = micro.gradient(0);
    auto const gradient = output_gradient(micro);
    auto const saved = micro.saved();
    bool const adds = micro.accumulate();
    std::size_t const n = micro.samples().size();
    std::vector<stand_in::Access> accesses{stand_in::reads(gradient), stand_in::reads(saved)};
    if (adds) accesses.push_back(stand_in::reads(out));
    accesses.push_back(stand_in::writes(out));
    stand_in::enqueue_on(micro.executor(), "the gradient of weights", accesses, [=] {
      for (std::size_t k = 0; k < width; ++k) {
        float sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += gradient[i * width + k] * saved[i * width + k];
        out[k] = adds ? out[k] + sum : sum;
      }
    });
  }

 private:
  template <class Micro>
  static auto output_gradient(Micro& micro) {
    auto const saved = micro.saved();
    return micro.is_last_stage() ? saved.part(saved.size() / 2, saved.size() / 2) : micro.output_gradient();
  }
  template <class Micro>
  auto skip_of(Micro& micro) const {
    return has_skip && micro.stage() == 3 ? micro.skip_input(0) : decltype(micro.input()){};
  }
  template <class Micro>
  auto skip_gradient_of(Micro& micro) const {
    return has_skip && micro.stage() == 3 ? micro.skip_gradient(0) : decltype(micro.input_gradient()){};
  }
};

struct Case {
  char const* schedule = "1f1b";
  weir::ScheduleShape shape = {};
  std::uint32_t versions = 1;
  weir::Recompute recompute = weir::Recompute::never;
  bool has_skip = false;
  std::size_t empty = 99;    // a stage without layers
  std::size_t left_out = 0;  // samples of the last micro-batch
};

template <class E>
class Trainer {
 public:
  using Pipe = weir::InterleavedPipeline<E, float, Versions>;

  Trainer(E const& executor, Case const& c)
      : executor_(executor),
        table_(weir::find_schedule(c.schedule)->make_table(c.shape)),
        weights_(executor, stages(c) * width),
        samples_(executor, table_.properties().micro_batches * batch - c.left_out),
        pipe_((fill(), executor), table_, options(c), Versions{c.versions}),
        sync_((weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}})
                  .on(pipe_, weights_.view())) {}

  void step(Chain& model) { sync_(pipe_(view(), model)); }
  std::vector<float> weights() {
    sync_.drain();
    return weir::to_host(executor_, weights_.view());
  }
  auto view() const { return weir::ViewOn<float const, E>(samples_.view()); }
  E const& executor() const { return executor_; }
  Pipe& pipe() { return pipe_; }
  auto& sync() { return sync_; }
  auto all_weights() const { return weights_.view(); }

 private:
  using Sync = decltype((weir::LocalAggregator{} | weir::Sgd{{}})
                            .on(std::declval<Pipe&>(), std::declval<weir::ViewOn<float, E>>()));

  std::size_t stages(Case const& c) const {
    return table_.properties().stages - (c.empty < table_.properties().stages ? 1 : 0);
  }
  void fill() {
    std::vector<float> weights = stand_in::initial_weights(weights_.size());
    for (float& weight : weights) weight = 1 + weight / 8;
    weir::from_host(executor_, std::span<float const>(weights), weights_.view());
    weir::from_host(executor_, std::span<float const>(stand_in::samples_of(samples_.size())),
                    samples_.view());
  }
  weir::PipelineOptions options(Case const& c) const {
    weir::PipelineOptions options{.local_batch = batch, .seed = 7, .recompute = c.recompute};
    if (c.has_skip) options.skip_edges = {{1, 3}};
    for (std::uint32_t stage = 0; stage < table_.properties().stages; ++stage) {
      weir::StageLayout layout{.parameters = {width}, .outputs = {{width}}, .saved = 2 * width};
      if (stage + 1 == table_.properties().stages) layout.outputs.clear();
      layout.is_empty = stage == c.empty;
      options.stages.push_back(layout);
    }
    return options;
  }

  E executor_;
  weir::ScheduleTable table_;
  weir::Buffer<float, E> weights_;
  weir::Buffer<float, E> samples_;
  Pipe pipe_;
  Sync sync_;
};

template <class E>
std::vector<float> train(E const& executor, Case const& c) {
  Trainer<E> trainer(executor, c);
  Chain model{.has_skip = c.has_skip};
  for (int step = 0; step < 3; ++step) trainer.step(model);
  return trainer.weights();
}

void check(Case const& c, std::uint64_t seeds = 4, weir::CudaOptions const& options = {}) {
  CAPTURE(c.schedule);
  auto const expected = train(weir::HostExecutor(), c);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.devices = 2, .seed = seed});
    CHECK(same_bits(train(weir::CudaExecutor(options), c), expected));
    CHECK(session.default_stream_operations() == 0);
  }
}

Case const one_f_one_b{.schedule = "1f1b", .shape = {.workers = 4, .micro_batches = 6}};

}  // namespace

TEST_CASE("every schedule gives the bits of threads, in any order of the streams") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1", "zb-h2", "chimera"})
    check({.schedule = name, .shape = {.workers = 4, .micro_batches = 6}});
  for (char const* name : {"interleaved-1f1b", "looped-bfs", "zb-v", "dualpipe-v"})
    check({.schedule = name, .shape = {.workers = 2, .micro_batches = 5}});
  check({.schedule = "dualpipe", .shape = {.workers = 4, .micro_batches = 8}});
  check({.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 8, .period = 2}, .versions = 2}, 20);
  check(
      {.schedule = "pipedream-2bw", .shape = {.workers = 3, .micro_batches = 9, .period = 3}, .versions = 2});
  check({.schedule = "pipedream", .shape = {.workers = 3, .micro_batches = 7}, .versions = 3});
}

TEST_CASE("so do recomputation, skip edges, stages without layers and short micro-batches") {
  for (char const* name : {"gpipe", "1f1b", "zb-h1"}) {
    weir::ScheduleShape const shape{.workers = 4, .micro_batches = 6};
    check({.schedule = name, .shape = shape, .recompute = weir::Recompute::always});
    check({.schedule = name, .shape = shape, .has_skip = true});
    check({.schedule = name, .shape = shape, .empty = 2, .left_out = 3});
    check({.schedule = name, .shape = shape, .has_skip = true, .empty = 1});
  }
  check({.schedule = "interleaved-1f1b",
         .shape = {.workers = 2, .micro_batches = 4},
         .recompute = weir::Recompute::except_last,
         .has_skip = true});
}

TEST_CASE("so do a device that is not the current one, and streams with launch threads") {
  check(one_f_one_b, 4, {.device = 1});
  check(one_f_one_b, 4, {.device = 1, .launch_thread = true});
  check({.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 8, .period = 2}, .versions = 2}, 4,
        {.launch_thread = true});
}

namespace {

struct Watched {
  std::size_t waits = 0;  // of the first two runs
  std::vector<std::string> violations;
};

/// Three runs, and a reader of all weights on the caller's stream.
Watched run_without(Case const& c, std::size_t dropped) {
  stand_in::Session session({.seed = dropped + 1});
  Watched result;
  {
    Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), c);
    Chain model{.has_skip = c.has_skip};
    trainer.step(model);
    trainer.weights();
    std::size_t const before = session.waits();
    session.drop_wait(dropped);
    trainer.step(model);
    trainer.step(model);
    result.waits = session.waits() - before;
    trainer.step(model);
    stand_in::enqueue(trainer.executor(), "the caller", {stand_in::reads(trainer.all_weights())}, [] {});
    session.drop_wait(0);
    trainer.weights();
  }
  result.violations = session.take_violations();
  return result;
}

}  // namespace

TEST_CASE("a run that leaves out one of its waits is told, unless another one orders the same") {
  for (Case const& c :
       {Case{.schedule = "1f1b", .shape = {.workers = 2, .micro_batches = 4}},
        Case{.schedule = "zb-h1", .shape = {.workers = 4, .micro_batches = 4}, .has_skip = true}}) {
    CAPTURE(c.schedule);
    Watched const whole = run_without(c, 0);
    CHECK(whole.violations.empty());
    std::size_t told = 0;
    for (std::size_t dropped = 1; dropped <= whole.waits; ++dropped)
      told += run_without(c, dropped).violations.empty() ? 0 : 1;
    CHECK(told > whole.waits / 2);
  }
}

TEST_CASE("runs enqueue only: they wait for nothing, make nothing and allocate nothing") {
  CleanSession session;
  Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), one_f_one_b);
  Chain model;
  trainer.step(model);
  trainer.weights();
  auto const before = session.calls();
  std::size_t const heap = stand_in::heap_allocations();
  for (int step = 0; step < 3; ++step) trainer.step(model);
  CHECK(stand_in::heap_allocations() == heap);
  for (auto const& entry : stand_in::calls_between(before, session.calls())) {
    std::string const& call = entry.first;
    CAPTURE(call);
    bool const enqueues = call == "cudaLaunchKernel" || call == "cudaEventRecord" ||
                          call == "cudaStreamWaitEvent" || call == "cudaGetDevice" ||
                          call == "cudaStreamIsCapturing";
    CHECK(enqueues);
  }
  trainer.weights();
}

TEST_CASE("a captured run, replayed, gives the bits of runs that were enqueued one by one") {
  for (Case const& c :
       {one_f_one_b, Case{.schedule = "zb-h1", .shape = {.workers = 2, .micro_batches = 4}},
        Case{
            .schedule = "interleaved-1f1b", .shape = {.workers = 2, .micro_batches = 4}, .has_skip = true}}) {
    CAPTURE(c.schedule);
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      CleanSession const session({.seed = seed});
      auto const run = [&](bool is_captured) {
        Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), c);
        Chain model{.has_skip = c.has_skip};
        trainer.step(model);
        if (is_captured) {
          auto const graph = weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); });
          for (int replay = 0; replay < 5; ++replay) graph.replay();
          trainer.sync().replayed(5);
        } else {
          for (int step = 0; step < 5; ++step) trainer.step(model);
        }
        CHECK(trainer.sync().evaluate(trainer.pipe()(trainer.view(), model)).samples == 0);
        trainer.step(model);
        auto const weights = trainer.weights();
        CHECK(trainer.sync().updates() ==
              std::vector<std::uint64_t>(trainer.pipe().parts(), std::uint64_t{7}));
        return weights;
      };
      CHECK(same_bits(run(true), run(false)));
    }
  }
}

TEST_CASE("a pipeline whose runs differ is not captured") {
  CleanSession const session;
  Trainer<weir::CudaExecutor> trainer(
      weir::CudaExecutor(),
      {.schedule = "wpipe", .shape = {.workers = 2, .micro_batches = 4}, .versions = 2});
  Chain model;
  trainer.step(model);
  CHECK_THROWS_AS((void)weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); }),
                  weir::ContractViolation);
  trainer.step(model);
  trainer.weights();
}

TEST_CASE(
    "a stage that throws ends the run in one error that names worker and operation, also in a capture") {
  CleanSession const session;
  Trainer<weir::CudaExecutor> trainer(weir::CudaExecutor(), one_f_one_b);
  Chain model;
  trainer.step(model);
  auto const before = trainer.weights();
  model.throws_at = 2;
  CHECK_THROWS_AS((void)weir::CudaGraph::capture(trainer.executor(), [&] { trainer.step(model); }),
                  weir::PipelineError);
  trainer.step(model);
  try {
    trainer.sync().drain();
    FAIL("no error");
  } catch (weir::PipelineError const& error) {
    CHECK(error.worker() == 2);
    CHECK(std::string(error.what()).find("2B0") != std::string::npos);
  }
  trainer.sync().reset();
  model.throws_at = -1;
  trainer.step(model);
  CHECK(!same_bits(trainer.weights(), before));
}
