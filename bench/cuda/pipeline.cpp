// Pipelines whose workers are streams of one device: what a captured run costs the host per operation, and
// WPipe beside one stage after the other.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "support/gpu_training.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"

namespace {

constexpr double goal_of_captured_operation = 5.0;  // microseconds of the host
constexpr std::size_t width = 1024;

struct Versions {
  std::uint32_t count;
  std::uint32_t versions(std::uint32_t, std::uint32_t) const { return count; }
};
using Pipe = weir::InterleavedPipeline<weir::CudaExecutor, float, Versions>;

/// Launches a kernel in each call, which keeps `blocks` multiprocessors busy for `rounds`.
struct Stage {
  unsigned blocks;
  unsigned rounds;

  void forward(auto& micro) const { launch(micro, micro.saved().data()); }
  void backward(auto& micro) const {
    auto const gradient = micro.gradient(0);
    set_zero(micro.executor(), gradient);
    launch(micro, gradient.data());
  }

 private:
  void launch(auto& micro, float* out) const {
    cudaStream_t const stream = micro.executor().stream();
    if (rounds == 0) {
      bench::launch_nothing(stream);
    } else {
      bench::launch_busy(stream, blocks, rounds, out);
    }
  }
};

auto recipe() {
  return weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1e-3}};
}

/// A pipeline that trains.
class Training {
 public:
  Training(weir::CudaExecutor const& executor, char const* schedule, weir::ScheduleShape const& shape,
           std::uint32_t versions, Stage const& stage)
      : table_(weir::find_schedule(schedule)->make_table(shape)),
        stage_(stage),
        batch_{shape.micro_batches},
        weights_(executor, table_.properties().stages * width),
        pipe_(executor, table_,
              {.stages = std::vector<weir::StageLayout>(
                   table_.properties().stages,
                   weir::StageLayout{.parameters = {width}, .outputs = {{1}}, .saved = 1})},
              Versions{versions}),
        sync_(recipe().on(pipe_, weights_.view())) {
    bench::fill_random(executor.stream(), weights_.data(), weights_.size(), 1);
    run();
  }

  void run() { sync_(pipe_(batch_, stage_)); }
  void wait() { sync_.drain(); }
  double operations() const { return static_cast<double>(table_.operations().size()); }

 private:
  weir::ScheduleTable table_;
  Stage stage_;
  bench::Batch batch_;
  weir::Buffer<float, weir::CudaExecutor> weights_;
  Pipe pipe_;
  decltype(recipe().on(std::declval<Pipe&>(), weights_.view())) sync_;
};

/// Microseconds of host time; the GPU has nothing to do before.
template <class Function>
bench::Timing host_time(Function const& run) {
  std::vector<double> times;
  for (int i = 0; i < 53; ++i) {
    weir::check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    auto const begin = std::chrono::steady_clock::now();
    run();
    std::chrono::duration<double, std::micro> const elapsed = std::chrono::steady_clock::now() - begin;
    if (i >= 2) times.push_back(elapsed.count());
  }
  return bench::summarise(times);
}

void host(bench::Report& report) {
  weir::CudaExecutor const executor;
  Training training(executor, "1f1b", {.workers = 2, .micro_batches = 16}, 1, {.blocks = 1, .rounds = 0});
  training.wait();
  auto const graph = weir::CudaGraph::capture(executor, [&] { training.run(); });
  auto per_operation = [&](bench::Timing timing) {
    timing.median /= training.operations();
    return timing;
  };
  bench::Timing const raw = per_operation(host_time([&] {
    for (double i = 0; i < training.operations(); ++i) bench::launch_nothing(executor.stream());
  }));
  std::string const name = "pipeline, 1f1b, 2 stages on 2 streams, host per operation";
  report.add({.measured = name,
              .what = "enqueued",
              .timing = per_operation(host_time([&] { training.run(); })),
              .roof = "a raw launch",
              .roof_value = raw.median});
  training.wait();
  report.add({.measured = name,
              .what = "captured",
              .timing = per_operation(host_time([&] { graph.replay(); })),
              .goal = bench::Goal::value_at_most(goal_of_captured_operation)});
}

void wpipe(bench::Report& report) {
  constexpr std::uint32_t micro_batches = 32;
  weir::CudaExecutor const executor;
  Stage const half{.blocks = 32, .rounds = 10'000};
  Training late(executor, "wpipe", {.workers = 2, .micro_batches = micro_batches, .period = 2}, 2, half);
  Stage const whole{.blocks = 32, .rounds = 20'000};
  Training one(executor, "sequential", {.workers = 2, .micro_batches = micro_batches}, 1, whole);
  auto const timings = bench::time_in_turns(
      executor.stream(),
      {{"sequential", [&](std::size_t) { one.run(); }}, {"wpipe", [&](std::size_t) { late.run(); }}});
  one.wait();
  late.wait();
  report.add({.measured = "pipeline, 2 workers, 32 micro-batches",
              .what = "wpipe",
              .timing = timings[1],
              .roof = "sequential",
              .roof_value = timings[0].median,
              .ratio = timings[0].median / timings[1].median});
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"host", host}, {"wpipe", wpipe}});
}
