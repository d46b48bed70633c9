// A pipeline of two workers that trains a small network of four stages with WPipe: no flush, two versions of
// the weights of the first half, one of the second. The same stages then run with a flush, as 1F1B.
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/interleaved_one_f_one_b.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/stage/recipe.hpp"

struct Sample {
  float x;
  float target;
};

// y = x + a tanh(w x), of one number; the last stage also takes the loss. All four are of this kind.
struct Stage {
  void forward(auto& micro) const {
    float const w = micro.weights(0)[0];
    float const a = micro.weights(1)[0];
    double loss = 0.0;
    for (std::size_t i = 0; i < micro.samples().size(); ++i) {
      float const y = input(micro, i) + a * std::tanh(w * input(micro, i));
      if (!micro.is_last_stage()) micro.output()[i] = y;
      micro.saved()[i] = y - micro.samples()[i].target;  // of use in the last stage only
      loss += 0.5 * micro.saved()[i] * micro.saved()[i];
    }
    if (micro.is_last_stage()) micro.loss(loss / static_cast<double>(micro.samples().size()));
  }

  void backward(auto& micro) const {
    float const w = micro.weights(0)[0];
    float const a = micro.weights(1)[0];
    float const share = micro.loss_scale() / static_cast<float>(micro.samples().size());
    if (!micro.accumulate()) micro.gradient(0)[0] = micro.gradient(1)[0] = 0.0f;
    for (std::size_t i = 0; i < micro.samples().size(); ++i) {
      float const gradient = micro.is_last_stage() ? share * micro.saved()[i] : micro.output_gradient()[i];
      float const t = std::tanh(w * input(micro, i));
      micro.gradient(0)[0] += gradient * a * (1 - t * t) * input(micro, i);
      micro.gradient(1)[0] += gradient * t;
      if (!micro.is_first_stage()) micro.input_gradient()[i] = gradient * (1 + a * (1 - t * t) * w);
    }
  }

  static float input(auto& micro, std::size_t i) {
    return micro.is_first_stage() ? micro.samples()[i].x : micro.input()[i];
  }
};

template <class Store>
double train(weir::ScheduleTable const& table, Store store, std::span<Sample const> samples) {
  std::vector<float> weights(8, 0.5f);  // two of each stage
  Stage const stage;
  weir::HostExecutor exec;
  weir::StageLayout const layout{.parameters = {1, 1}, .outputs = {{1}}, .saved = 1};
  weir::InterleavedPipeline<weir::HostExecutor, float, Store> pipe{
      exec, table, {.stages = {layout, layout, layout, layout}, .local_batch = 8}, store};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.05}}).on(pipe, weir::view(weights));
  for (int epoch = 0; epoch < 50; ++epoch) sync(pipe(samples, stage));
  sync.drain();  // every period has been updated on every stage
  return sync.evaluate(pipe(samples, stage)).mean();
}

int main() {
  std::vector<Sample> samples;
  for (float x = -1; x < 1; x += 1 / 32.0f) samples.push_back({x, std::sin(2 * x)});
  auto const wpipe = weir::make_table<weir::WPipe>({.workers = 2, .micro_batches = 8, .period = 4});
  auto const flush = weir::make_table<weir::InterleavedOneFOneB>({.workers = 2, .micro_batches = 8});
  double const without_flush = train(wpipe, weir::GroupDoubleBuffer{}, samples);
  double const with_flush = train(flush, weir::Single{}, samples);
  std::printf("mean loss: %.5f with WPipe, %.5f with 1F1B\n", without_flush, with_flush);
  return without_flush < 0.02 && with_flush < 0.05 ? 0 : 1;
}
