#include "weir/mask/exit_stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/mask/early_exit.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using weir::ExitRule;
using weir::HostExecutor;

constexpr std::size_t stages = 3, classes = 2, batch = 4;

struct Sample {
  float logit = 0;  // of class 0; that of class 1 is 0
  float mark = 0;
  std::size_t exit = stages;
  std::array<float, classes> logits = {};
};

/// Stage e doubles what is between the logits and adds its weight to the mark. Two features, so that rows
/// have to move as a whole.
void run_stage(float const* in, float* out, float weight) {
  out[0] = 2 * in[0];
  out[1] = in[1] + weight;
}

struct Network {
  std::array<std::atomic<std::size_t>, stages> launches = {}, rows = {};

  template <class Micro>
  void infer(Micro& micro, std::size_t samples, std::span<float> logits) {
    REQUIRE(logits.size() == samples * classes);
    ++launches[micro.stage()];
    rows[micro.stage()] += samples;
    for (std::size_t i = 0; i < samples; ++i) {
      float const first[] = {micro.samples()[i].logit, micro.samples()[i].mark};
      float out[2];
      run_stage(micro.is_first_stage() ? first : micro.input(1).data() + 2 * i, out, micro.weights(0)[0]);
      if (!micro.is_last_stage()) std::copy(out, out + 2, micro.output(1).data() + 2 * i);
      logits[2 * i] = out[0] + out[1];
      logits[2 * i + 1] = out[1];
    }
  }
  template <class Micro>
  void leave(Micro& micro, std::size_t i, std::span<float const> logits) {
    Sample& sample = micro.samples()[i];
    CHECK(sample.exit == stages);  // once
    sample.exit = micro.stage();
    sample.logits = {logits[0], logits[1]};
  }
};

/// An evaluation of samples by a pipeline of three workers.
struct Evaluation {
  explicit Evaluation(std::vector<ExitRule> rules, std::vector<Sample> all,
                      weir::StageLayout layout = {.parameters = {1},
                                                  .outputs = {{1, false}, {2}},
                                                  .saved = classes})
      : samples(std::move(all)), exits(network, std::move(rules), classes) {
    auto last = layout;
    last.outputs.clear();
    pipe.emplace(exec, table, weir::PipelineOptions{.stages = {layout, layout, last}, .local_batch = batch});
  }
  void run() {
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1f}}).on(*pipe, weir::view(weights));
    sync.evaluate((*pipe)(std::span(samples), exits));
  }
  void train() {
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1f}}).on(*pipe, weir::view(weights));
    sync((*pipe)(std::span(samples), exits));
    sync.drain();
  }

  HostExecutor exec;
  weir::ScheduleTable table = weir::make_table<weir::GPipe>({.workers = stages, .micro_batches = 4});
  std::vector<float> weights = {10, 20, 30};
  std::vector<Sample> samples;
  Network network;
  weir::ExitStage<Network> exits;
  std::optional<weir::InterleavedPipeline<HostExecutor>> pipe;
};

std::vector<Sample> samples_of(std::size_t count) {
  std::vector<Sample> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i].logit = static_cast<float>(i * 7 % 11) / 8;
    samples[i].mark = static_cast<float>(i);
  }
  return samples;
}

/// The same by `EarlyExit`, which says what is right.
weir::ExitResult<float> expected_of(std::vector<ExitRule> const& rules, std::vector<Sample> const& samples,
                                    std::vector<float> const& weights) {
  std::vector<float> features;
  for (Sample const& sample : samples) features.insert(features.end(), {sample.logit, sample.mark});
  return weir::EarlyExit(rules).run(
      features, samples.size(), classes,
      [&](std::size_t e, std::vector<float> rows, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) run_stage(&rows[2 * i], &rows[2 * i], weights[e]);
        return rows;
      },
      [](std::size_t, std::vector<float> const& rows, std::size_t count) {
        std::vector<float> logits;
        for (std::size_t i = 0; i < count; ++i)
          logits.insert(logits.end(), {rows[2 * i] + rows[2 * i + 1], rows[2 * i + 1]});
        return logits;
      });
}

ExitRule confidence(double tau) {
  return {ExitRule::Kind::confidence, tau};
}

/// What a stage threw in a run.
template <class Run>
std::string refusal(Run const& run) {
  try {
    run();
  } catch (weir::PipelineError const& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("samples leave a pipeline where they leave the network, each once, with the same logits") {
  for (auto const& rules : {std::vector{confidence(0.8), confidence(0.9)},
                            {confidence(1), confidence(0)},
                            {confidence(1), confidence(1)},
                            {confidence(0), confidence(0.5)}}) {
    for (std::size_t count : {16u, 13u, 1u}) {
      CAPTURE(rules[0].tau);
      CAPTURE(count);
      Evaluation evaluation(rules, samples_of(count));
      auto const expected = expected_of(rules, evaluation.samples, evaluation.weights);
      evaluation.run();
      std::array<std::size_t, stages> left = {};
      for (std::size_t i = 0; i < count; ++i) {
        Sample const& sample = evaluation.samples[i];
        REQUIRE(sample.exit == expected.taken[i]);
        CHECK(sample.logits == std::array{expected.logits[2 * i], expected.logits[2 * i + 1]});
        ++left[sample.exit];
      }
      CHECK(evaluation.network.rows[0] == count);
      CHECK(evaluation.network.rows[1] == count - left[0]);
      CHECK(evaluation.network.rows[2] == left[2]);
    }
  }
}

TEST_CASE("a stage is not run for a micro-batch of which nobody is left") {
  Evaluation evaluation({confidence(0.9), confidence(0.9)}, samples_of(16));
  for (std::size_t i = 0; i < 16; ++i) {
    bool const is_sure = i / batch == 1 || i / batch == 2;
    evaluation.samples[i].logit = is_sure ? 8.0f : i / batch == 3 ? 0.7f : 0.0f;
  }
  evaluation.run();
  CHECK(evaluation.network.launches[0] == 4);
  CHECK(evaluation.network.launches[1] == 2);  // those of the micro-batches 0 and 3
  CHECK(evaluation.network.launches[2] ==
        1);  // e^2.8 is enough for the second exit, 1.4 was not for the first
  CHECK(evaluation.samples[15].exit == 1);
  CHECK(evaluation.samples[0].exit == 2);
}

TEST_CASE("a training run, rules that are not one per exit and other layouts are refused") {
  Evaluation training({confidence(1), confidence(1)}, samples_of(16));
  CHECK(
      refusal([&] {
        training.train();
      }).find("ExitStage: samples leave in evaluations only; to train, the network itself would be right") !=
      std::string::npos);
  Evaluation few({confidence(1)}, samples_of(16));
  CHECK(refusal([&] { few.run(); }).find("ExitStage: 1 rules for 3 stages; 2 would be right") !=
        std::string::npos);
  Evaluation narrow({confidence(1), confidence(1)}, samples_of(16),
                    {.parameters = {1}, .outputs = {{1, false}, {2}}, .saved = 1});
  CHECK(refusal([&] { narrow.run(); })
            .find("ExitStage: the layout of stage 0 must have 1 element of a sample as its first output, and "
                  "2 or "
                  "more saved") != std::string::npos);
}
