#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/training.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/tensor/buffer.hpp"

// A pipeline whose stages only enqueue, on either executor.

namespace chain {

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
  std::size_t empty = 99;                      // a stage without layers
  std::size_t left_out = 0;                    // samples of the last micro-batch
  weir::ScheduleTable const* table = nullptr;  // in place of the schedule's

  weir::ScheduleTable make_table() const {
    return table != nullptr ? *table : weir::find_schedule(schedule)->make_table(shape);
  }
};

/// Trains the stages that are in this process.
template <class E, class Transport = weir::detail::PipelineTransportFor<E>>
class Trainer {
 public:
  using Pipe = weir::InterleavedPipeline<E, float, Versions, Transport>;

  Trainer(E const& executor, Case const& c, Transport transport = Transport())
      : executor_(executor),
        table_(c.make_table()),
        samples_(executor, table_.properties().micro_batches * batch - c.left_out),
        pipe_(executor, table_, options(c), Versions{c.versions}, std::move(transport)),
        sync_((weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}})
                  .on(pipe_, make_weights(c.empty))) {
    weir::from_host(executor, std::span<float const>(stand_in::samples_of(samples_.size())), samples_.view());
  }

  void step(Chain& model) { sync_(pipe_(view(), model)); }
  /// Of all parts, in order.
  std::vector<float> weights() {
    sync_.drain();
    std::vector<float> all;
    for (std::size_t part = 0; part < weights_.size(); ++part) {
      auto const some = weir::to_host(executor_of(part), weights_[part].view());
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  auto view() const { return weir::ViewOn<float const, E>(samples_.view()); }
  E const& executor() const { return executor_; }
  Pipe& pipe() { return pipe_; }
  auto& sync() { return sync_; }
  std::vector<stand_in::Access> reads_of_weights() const {
    std::vector<stand_in::Access> accesses;
    for (auto const& weights : weights_) accesses.push_back(stand_in::reads(weights.view()));
    return accesses;
  }

 private:
  using Sync = decltype((weir::LocalAggregator{} | weir::Sgd{{}})
                            .on(std::declval<Pipe&>(), std::declval<std::vector<weir::ViewOn<float, E>>>()));

  E const& executor_of(std::size_t part) { return pipe_.core().units()[part].executor(); }
  /// Of each part on its device.
  std::vector<weir::ViewOn<float, E>> make_weights(std::size_t empty) {
    std::vector<weir::ViewOn<float, E>> views;
    std::vector<float> const all = stand_in::initial_weights(table_.properties().stages * width);
    for (std::size_t part = 0; part < pipe_.parts(); ++part) {
      std::size_t const stage = pipe_.stage_of(part);
      std::vector<float> weights;
      for (std::size_t k = 0; k < width; ++k)
        weights.push_back(1 + all[(stage - (stage > empty ? 1 : 0)) * width + k] / 8);
      weights_.emplace_back(executor_of(part), width);
      weir::from_host(executor_of(part), std::span<float const>(weights), weights_.back().view());
      views.push_back(weights_.back().view());
    }
    return views;
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
  weir::Buffer<float, E> samples_;
  Pipe pipe_;
  std::vector<weir::Buffer<float, E>> weights_;  // by part
  Sync sync_;
};

template <class E, class Transport = weir::detail::PipelineTransportFor<E>>
std::vector<float> train(E const& executor, Case const& c, Transport transport = Transport()) {
  Trainer<E, Transport> trainer(executor, c, std::move(transport));
  Chain model{.has_skip = c.has_skip};
  for (int step = 0; step < 3; ++step) trainer.step(model);
  return trainer.weights();
}

/// The run under way has ended in the error of a stage that throws: it names the worker and the operation.
/// The pipeline can be reset, and trains on from `before`.
template <class AnyTrainer>
void check_failed_and_reset(AnyTrainer& trainer, Chain& model, std::size_t worker,
                            std::string const& operation, std::vector<float> const& before) {
  try {
    trainer.sync().drain();
    FAIL("no error");
  } catch (weir::PipelineError const& error) {
    CHECK(error.worker() == worker);
    CHECK(std::string(error.what()).find(operation) != std::string::npos);
  }
  trainer.sync().reset();
  model.throws_at = -1;
  trainer.step(model);
  CHECK(!same_bits(trainer.weights(), before));
}

}  // namespace chain
