// A network of dense layers as a pipeline over two threads. WPipe beside PipeDream-2BW: the goal is 1.5
// versions of the weights for 2, and not slower. 1F1B is what bench/pipeline/peers.py sets beside PyTorch;
// the roof is the same work by one thread in half of the time. The products are OpenBLAS's, if it is found,
// or else Eigen's.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "support/openblas.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/weight_versions.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t width = 512;
constexpr std::size_t samples_per_micro_batch = 64;

struct Row {
  float x[width];
};
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<Matrix>;
using ConstMap = Eigen::Map<Matrix const>;

ConstMap rows(float const* data, std::size_t count) {
  return {data, static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(width)};
}
Map rows(float* data, std::size_t count) {
  return {data, static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(width)};
}

OpenBlas const& openblas() {
  static OpenBlas const found = OpenBlas::find();
  return found;
}

enum class Order { as_stored, transposed };

/// Adds the product of a and b to c, or puts it there.
void multiply(ConstMap a, Order of_a, ConstMap b, Order of_b, Map c, bool is_added = false) {
  bool const turns_a = of_a == Order::transposed, turns_b = of_b == Order::transposed;
  if (openblas().sgemm != nullptr) {
    auto const size = [](Eigen::Index value) { return static_cast<int>(value); };
    auto const order = [](bool turns) { return turns ? OpenBlas::transpose : OpenBlas::no_transpose; };
    return openblas().sgemm(OpenBlas::row_major, order(turns_a), order(turns_b), size(c.rows()),
                            size(c.cols()), size(turns_a ? a.rows() : a.cols()), 1.0f, a.data(),
                            size(a.cols()), b.data(), size(b.cols()), is_added ? 1.0f : 0.0f, c.data(),
                            size(c.cols()));
  }
  auto const put = [&](auto const& product) { is_added ? c.noalias() += product : c.noalias() = product; };
  if (turns_a) return put(a.transpose() * b);
  if (turns_b) return put(a * b.transpose());
  put(a * b);
}

/// So many layers y = max(0, x W), and behind the last one the mean of y^2 / 2.
struct Stage {
  std::size_t depth;

  weir::StageLayout layout(bool is_last) const {
    weir::StageLayout layout{.parameters = std::vector<std::size_t>(depth, width * width),
                             .saved = (depth + 2) * width};
    if (!is_last) layout.outputs = {{width}};
    return layout;
  }

  void forward(auto& micro) const {
    std::size_t const n = micro.samples().size();
    for (std::size_t layer = 0; layer < depth; ++layer) {
      Map y = place(micro, layer);
      multiply(input(micro, layer), Order::as_stored, weights(micro, layer), Order::as_stored, y);
      y = y.cwiseMax(0.0f);
    }
    if (!micro.output().empty()) rows(micro.output().data(), n) = place(micro, depth - 1);
  }

  void backward(auto& micro) const {
    std::size_t const n = micro.samples().size();
    Map delta = place(micro, depth);
    Map below = place(micro, depth + 1);
    if (micro.is_last_stage()) {
      delta = place(micro, depth - 1) * (micro.loss_scale() / static_cast<float>(n * width));
    } else {
      delta = rows(micro.output_gradient().data(), n);
    }
    for (std::size_t layer = depth; layer-- > 0;) {
      delta = delta.cwiseProduct(place(micro, layer).cwiseSign());
      multiply(input(micro, layer), Order::transposed, view(delta), Order::as_stored,
               rows(micro.gradient(layer).data(), width), micro.accumulate());
      if (layer == 0 && micro.is_first_stage()) return;
      multiply(view(delta), Order::as_stored, weights(micro, layer), Order::transposed, below);
      delta = below;
    }
    rows(micro.input_gradient().data(), n) = delta;
  }

 private:
  static Map place(auto& micro, std::size_t index) {
    std::size_t const n = micro.samples().size();
    return rows(micro.saved().data() + index * n * width, n);
  }
  static ConstMap view(Map const& map) {
    return rows(static_cast<float const*>(map.data()), static_cast<std::size_t>(map.rows()));
  }
  static ConstMap weights(auto& micro, std::size_t layer) {
    return rows(static_cast<float const*>(micro.weights(layer).data()), width);
  }
  static ConstMap input(auto& micro, std::size_t layer) {
    std::size_t const n = micro.samples().size();
    float const* data = micro.is_first_stage() ? micro.samples()[0].x : micro.input().data();
    if (layer != 0) data = micro.saved().data() + (layer - 1) * n * width;
    return rows(data, n);
  }
};

/// Versions as the table needs them.
struct Versions {
  std::vector<std::uint32_t> of_stage;
  std::uint32_t versions(std::uint32_t stage, std::uint32_t) const { return of_stage[stage]; }
};

/// Counts the bytes that are taken.
class CountingMemory final : public std::pmr::memory_resource {
 public:
  std::size_t bytes() const { return bytes_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    bytes_ += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override { return this == &other; }

  std::atomic<std::size_t> bytes_ = 0;
};

void train(benchmark::State& state, char const* schedule, weir::ScheduleShape const& shape,
           std::size_t layers) {
  auto const table = weir::find_schedule(schedule)->make_table(shape);
  std::size_t const stages = table.properties().stages;
  Stage const stage{layers / stages};
  weir::PipelineOptions options{.local_batch = samples_per_micro_batch};
  Versions versions;
  for (std::size_t s = 0; s < stages; ++s) {
    options.stages.push_back(stage.layout(s + 1 == stages));
    versions.of_stage.push_back(weir::weight_versions(table)[s].live);
  }
  CountingMemory memory;
  weir::HostExecutor const executor({.threads = 1, .memory = &memory});
  using Pipe = weir::InterleavedPipeline<weir::HostExecutor, float, Versions>;
  Pipe pipe{executor, table, options, versions};
  std::vector<float> weights(layers * width * width);
  std::srand(1);
  rows(weights.data(), layers * width).setRandom();
  for (float& weight : weights) weight *= 0.05f;
  std::vector<Row> samples(shape.micro_batches * samples_per_micro_batch);
  rows(samples[0].x, samples.size()).setRandom();
  std::size_t const before = memory.bytes();
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.01}}).on(pipe, weir::view(weights));
  // Binding takes the versions that are not in the caller's memory.
  double const copies =
      1 + static_cast<double>(memory.bytes() - before) / static_cast<double>(weights.size() * sizeof(float));
  auto const run = [&] {
    sync(pipe(std::span<Row const>(samples), stage));
    sync.drain();
  };
  run();
  double least = 1e9;
  for (auto _ : state) {
    auto const begin = Clock::now();
    run();
    double const time = std::chrono::duration<double>(Clock::now() - begin).count();
    least = time < least ? time : least;
  }
  state.counters["weight_copies"] = copies;
  state.counters["micro_batches_per_second"] = static_cast<double>(shape.micro_batches) / least;
  state.counters["runs_per_second"] = 1 / least;
}

constexpr std::uint32_t run_length = 64;  // so that filling and draining count for little

/// Deep enough that the first layer, which needs no gradient of its input, does not make its stage much
/// cheaper: WPipe goes through one half of the stages, then the other, and in each waits for the slowest.
constexpr std::size_t late_layers = 16;

void late(benchmark::State& state, char const* schedule) {
  train(state, schedule, {.workers = 2, .micro_batches = run_length, .period = 2}, late_layers);
}
BENCHMARK_CAPTURE(late, wpipe, "wpipe")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(late, pipedream_2bw, "pipedream-2bw")->UseRealTime()->Unit(benchmark::kMillisecond);

constexpr std::size_t flush_layers = 4;  // as in peers.py

void flush(benchmark::State& state, char const* schedule, std::uint32_t workers) {
  train(state, schedule, {.workers = workers, .micro_batches = 8}, flush_layers);
}
BENCHMARK_CAPTURE(flush, roof_one_thread, "1f1b", 1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(flush, one_f_one_b, "1f1b", 2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
