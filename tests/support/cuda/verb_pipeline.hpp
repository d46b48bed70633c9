#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/cuda/graph.hpp"
#include "weir/cuda/vocabulary.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

// A pipeline whose stages are verbs of either executor.

namespace verb_pipeline {

constexpr std::size_t width = 4099;

inline std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 13) / 8.3f - 0.7f;
  return values;
}

struct Versions {
  std::uint32_t count = 1;
  std::uint32_t versions(std::uint32_t, std::uint32_t) const { return count; }
};

/// Stages y = x + w of one sample, whose loss is half of y^2; in verbs of either executor.
struct Stage {
  void forward(auto& micro) const {
    auto const& executor = micro.executor();
    auto const y = micro.saved();
    if (micro.is_first_stage()) {
      fill(executor, y, 0.125f);
      add_scaled(executor, micro.samples(), 0.75f, y.part(0, 1));
    } else {
      copy(executor, micro.input(), y);
    }
    add_scaled(executor, micro.weights(0), 1.0f, y);
    if (!micro.is_last_stage()) copy(executor, y, micro.output());
  }
  void backward_input(auto& micro) const {
    if (micro.is_first_stage()) return;
    copy(micro.executor(), gradient_of(micro), micro.input_gradient());
    add_scaled(micro.executor(), micro.weights(0), 0.0625f, micro.input_gradient());
  }
  void backward_weight(auto& micro) const {
    auto const gradient = micro.gradient(0);
    if (!micro.accumulate()) set_zero(micro.executor(), gradient);
    add_scaled(micro.executor(), gradient_of(micro), 0.3f, gradient);
  }

 private:
  static auto gradient_of(auto& micro) {
    auto const last = micro.output_gradient();
    return micro.is_last_stage() ? decltype(last)(micro.saved()) : last;
  }
};

/// The weights of the stages of this process after 22 runs, by part. Stages and weights lie where the
/// transport says, samples on `executor`.
template <class E, class Transport = weir::detail::PipelineTransportFor<E>>
std::vector<float> train(E const& executor, char const* schedule, weir::ScheduleShape const& shape,
                         std::uint32_t versions, bool is_captured, Transport transport = Transport()) {
  auto const table = weir::find_schedule(schedule)->make_table(shape);
  std::size_t const stages = table.properties().stages;
  weir::StageLayout const layout{.parameters = {width}, .outputs = {{width}}, .saved = width};
  std::vector<float> const start = numbers(stages * width);
  std::vector<float> const samples = numbers(shape.micro_batches);
  weir::Buffer<float, E> const batch(executor, samples.size());
  weir::from_host(executor, std::span<float const>(samples), batch.view());
  Stage const stage;
  using Pipe = weir::InterleavedPipeline<E, float, Versions, Transport>;
  Pipe pipe{executor,
            table,
            {.stages = std::vector<weir::StageLayout>(stages, layout)},
            Versions{versions},
            std::move(transport)};
  std::vector<weir::Buffer<float, E>> weights;  // each on its stage's device
  std::vector<weir::ViewOn<float, E>> views;
  for (std::size_t part = 0; part < pipe.parts(); ++part) {
    E const& at = pipe.core().units()[part].executor();
    weights.emplace_back(at, width);
    views.push_back(weights.back().view());
    weir::from_host(at, std::span<float const>(start).subspan(pipe.stage_of(part) * width, width),
                    views.back());
  }
  auto sync =
      (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}}).on(pipe, views);
  auto const run = [&] { sync(pipe(weir::ViewOn<float const, E>(batch.view()), stage)); };
  run();
  if constexpr (std::is_same_v<E, weir::CudaExecutor>) {
    if (is_captured) {
      auto const graph = weir::CudaGraph::capture(executor, run);
      for (int i = 0; i < 20; ++i) graph.replay();
      sync.replayed(20);
    }
  }
  for (int i = 0; !is_captured && i < 20; ++i) run();
  run();
  sync.drain();
  std::vector<float> result;
  for (std::size_t part = 0; part < pipe.parts(); ++part) {
    auto const some = weir::to_host(pipe.core().units()[part].executor(), weights[part].view());
    result.insert(result.end(), some.begin(), some.end());
  }
  return result;
}

}  // namespace verb_pipeline
