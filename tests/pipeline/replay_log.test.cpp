#include "weir/pipeline/replay_log.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/stage/recipe.hpp"

namespace {

/// Flips one bit of one message on its way, by its tag.
struct Flipping : weir::ThreadTransport {
  explicit Flipping(weir::MessageTag const& of = {}, int which = -1) : tag(of), bit(which) {}

  weir::MessageTag tag;
  int bit;  // -1: none

  bool try_send(std::size_t edge, weir::PipelineMessage const& message) {
    if (message.tag == tag && bit >= 0) {  // `bit` is of the one worker that sends it
      message.data[bit / 8] ^= std::byte(1u << bit % 8);
      bit = -1;  // before it is tried again
    }
    return ThreadTransport::try_send(edge, message);
  }
};

using Pipe = weir::InterleavedPipeline<weir::HostExecutor, double, weir::GroupDoubleBuffer, Flipping>;
scalar_chain::Batch const data(scalar_chain::samples);

/// A stage that computes otherwise in one operation.
struct Drifting {
  bool drifts = false;

  void forward(auto& micro) const {
    scalar_chain::Model{}.forward(micro);
    if (drifts && micro.stage() == 2 && micro.step() == 3 && micro.index() == 1) micro.output()[0] += 1e-9;
  }
  void backward(auto& micro) const { scalar_chain::Model{}.backward(micro); }
};

/// Two runs; gives the error they end in.
std::string run(weir::ReplayLog& log, weir::MessageTag const& tag = {}, int bit = -1, bool drifts = false) {
  std::vector<double> weights = scalar_chain::initial_weights();
  weir::HostExecutor const executor;
  Drifting const model{drifts};
  Pipe pipe{executor,
            weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 2}),
            {.stages = scalar_chain::layouts(4), .log = &log},
            {},
            Flipping(tag, bit)};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.25}}).on(pipe, weir::view(weights));
  try {
    for (int i = 0; i < 2; ++i) sync(pipe(data, model));
    sync.drain();
  } catch (weir::PipelineError const& error) {
    return error.what();
  }
  return "";
}

/// Of the run with a fault logged, and one without executed again.
std::string located(weir::MessageTag const& tag, int bit, bool drifts = false) {
  weir::ReplayLog log(1000);
  CHECK(run(log, tag, bit, drifts) == "");
  log.rewind();
  return run(log);
}

}  // namespace

TEST_CASE("runs that are executed again are those of the log, operation by operation") {
  weir::ReplayLog log(1000);
  CHECK(run(log) == "");
  CHECK(log.of_worker(0).size() == 2 * 2 * 2 * 8);  // runs, stages, forward and backward, micro-batches
  log.rewind();
  CHECK(run(log) == "");
  CHECK(log.compared(0) == log.of_worker(0).size());
  CHECK(log.compared(1) == log.of_worker(1).size());
}

TEST_CASE("a bit that was flipped on its way is located at the operation that took it in") {
  for (int const bit : {0, 17, 63}) {
    CHECK(located({.run = 0, .micro_batch = 5, .stage = 1}, bit) ==
          "worker 0, 2F5: other data were taken in in run 0 of the log");
    CHECK(located({.run = 1, .micro_batch = 0, .stage = 3, .is_forward = false}, bit) ==
          "worker 0, 2B0: other data were taken in in run 1 of the log");
  }
  CHECK(located({.run = 0, .micro_batch = 5, .stage = 1}, 64) == "");  // behind the data
}

TEST_CASE("a stage that computed otherwise is located, too") {
  CHECK(located({}, -1, true) ==
        "worker 0, 2F7: the same data were taken in, and others given in run 0 of the log");
}

TEST_CASE("what does not fit is not logged, and a log is of as many workers as it was made for") {
  weir::ReplayLog log(3);
  CHECK(run(log) == "");
  CHECK(log.of_worker(1).size() == 3);
  CHECK_THROWS_AS(log.open(3), weir::ContractViolation);
}
