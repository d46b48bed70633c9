// Stops a training run in the middle, goes on from a file in a new process' worth of objects, and ends with
// the same bits as a run that was never stopped. A recorder shows what ran when.
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "weir/trace/chrome.hpp"
#include "weir/trace/svg.hpp"
#include "weir/weir.hpp"

constexpr std::size_t parameters = 3, elements = 1000;  // elements of each

struct Model {
  void operator()(auto& micro) const {
    // The last layer is ready first: its bucket is summed and applied while the others are computed.
    for (std::size_t parameter = parameters; parameter-- > 0;) {
      auto const weights = micro.weights(parameter);
      auto const gradient = micro.gradient(parameter);
      weir::RandomStream const noise = micro.random(static_cast<std::uint32_t>(parameter));
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        float const value = micro.loss_scale() * (weights[i] - micro.samples()[0] + noise.uniform(i));
        gradient[i] = micro.accumulate() ? gradient[i] + value : value;
      }
      micro.ready_parameter(parameter);
    }
  }
};

// Everything that a run is made of. The samples of a step are found from what was consumed before it.
struct Run {
  std::vector<float> samples = std::vector<float>(64, 0.25f);
  std::vector<float> weights = std::vector<float>(parameters * elements);
  Model model;
  weir::HostExecutor exec;
  weir::StreamWorkerPool<weir::HostExecutor> workers{
      exec,
      {.workers = 2,
       .buckets = weir::BucketPlan::per_parameter(std::vector<weir::Parameter>(parameters, {elements})),
       .local_batch = 2}};

  auto bind(weir::SpanSink* spans) {
    auto const recipe = weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AdamW{};
    return recipe.on(workers, weir::view(weights), {.spans = spans});
  }
  void train(auto& sync, int steps) {
    for (int step = 0; step < steps; ++step) {
      sync(workers(std::span<float const>(samples).subspan(sync.consumed(), 8), model));
    }
    sync.wait();
  }
};

int main() {
  std::string const path = "06_checkpoint.weir";
  Run uninterrupted;
  weir::Recorder recorder(1000);  // keeps the last 1000 spans; without one nothing is recorded
  auto whole = uninterrupted.bind(&recorder);
  uninterrupted.train(whole, 6);

  Run before;
  auto first = before.bind(nullptr);
  before.train(first, 4);
  weir::Archive saved;
  first.save(saved);  // weights, moments, step, samples consumed
  saved.write(path);  // whole or not at all

  Run after;
  auto second = after.bind(nullptr);
  second.load(weir::Archive::read(path));  // strict: refuses another layout of the work
  std::remove(path.c_str());
  after.train(second, 2);

  std::string const trace = weir::chrome_trace(recorder.snapshot());    // for Perfetto
  std::string const drawing = weir::svg_timeline(recorder.snapshot());  // to look at in a browser
  std::printf("steps %d, spans %zu, trace %zu bytes, drawing %zu bytes\n", static_cast<int>(second.steps()),
              recorder.snapshot().size(), trace.size(), drawing.size());
  bool const traced = trace.find("micro-batch") != std::string::npos && drawing.starts_with("<svg");
  return after.weights == uninterrupted.weights && second.steps() == 6 && traced ? 0 : 1;
}
