// A training step of an MLP of masked layers, in tiles and in bfloat16, with 32-bit master weights: as it is
// enqueued, and as a captured graph. peers.py measures the dense step in PyTorch, and holds these against it.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/gpu_timing.hpp"
#include "support/gpu_training.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/mask/linear.hpp"
#include "weir/optim/weight_copy.hpp"

namespace {

using weir::bfloat16;
using Executor = weir::CudaExecutor;
using Layer = weir::BIBDLinear<weir::AnyDesign>;
template <class Element>
using Memory = weir::Buffer<Element, Executor>;

constexpr std::size_t width = 4096, layers = 4, samples = 4096;

Layer make_layer(std::uint32_t block, double density, std::size_t index) {
  weir::MaskOptions options{.outputs = width, .inputs = width, .density = density, .block = block};
  options.family = "hadamard-group";
  options.seed = index;
  bool const is_last = index + 1 == layers;
  return Layer(
      weir::BIBDMask(options),
      {.activation = is_last ? weir::Activation::identity : weir::Activation::relu, .has_bias = false});
}

/// Its loss is a sum of the outputs times numbers that are given, so that there is nothing but layers.
class MaskedMlp {
 public:
  MaskedMlp(Executor const& executor, std::uint32_t block, double density) {
    for (std::size_t i = 0; i < layers; ++i) {
      Layer const layer = make_layer(block, density, i);
      bound_.push_back(layer.on(executor));
      values_ = layer.value_count();
      weights_.resize((i + 1) * values_);
      layer.initialise(std::span(weights_).last(values_), {.seed = i});
    }
    for (std::size_t i = 0; i <= layers; ++i) {
      outputs_.emplace_back(executor, samples * width);
      gradients_.emplace_back(executor, samples * width);
      bench::fill_random(executor.stream(), outputs_[i].data(), samples * width, 1);
      bench::fill_random(executor.stream(), gradients_[i].data(), samples * width, 2);
    }
    copies_.emplace_back(executor, weights_.size());
  }

  std::size_t values() const { return values_; }
  std::span<float const> weights() const { return weights_; }
  weir::TensorView<bfloat16, weir::DeviceSpace> copies() const { return copies_[0].view(); }

  template <class Micro>
  void operator()(Micro& micro) const {
    auto const& stream = micro.executor();
    for (std::size_t i = 0; i < layers; ++i) {
      bound_[i].template forward<bfloat16>(stream, weights_of(i), {}, batch(outputs_[i]),
                                           batch(outputs_[i + 1]));
    }
    for (std::size_t i = layers; i-- > 0;) {
      bound_[i].template backward<bfloat16>(stream, weights_of(i), batch(outputs_[i]), batch(outputs_[i + 1]),
                                            batch(gradients_[i + 1]), i == 0 ? Batch{} : batch(gradients_[i]),
                                            micro.gradient(i), {}, weir::GradientMode::overwrite);
      micro.ready_parameter(i);
    }
  }

 private:
  using Batch = weir::DeviceBatch<bfloat16>;

  static Batch batch(Memory<bfloat16> const& memory) {
    return weir::batch_major<weir::DeviceSpace>(memory.data(), samples, width);
  }
  weir::TensorView<bfloat16 const, weir::DeviceSpace> weights_of(std::size_t layer) const {
    return {copies_[0].data() + layer * values_, values_};
  }

  std::vector<Layer::Bound<Executor>> bound_;
  std::size_t values_ = 0;
  std::vector<float> weights_;
  std::vector<Memory<bfloat16>> outputs_, gradients_, copies_;
};

void step(bench::Report& report, std::uint32_t block, double density) {
  Executor const executor;
  MaskedMlp const model(executor, block, density);
  Memory<float> const weights(executor, model.weights().size());
  weir::from_host(executor, model.weights(), weights.view());
  bench::Pool pool(executor, {.workers = 1,
                              .buckets = weir::BucketPlan::per_parameter(
                                  std::vector<weir::Parameter>(layers, {.elements = model.values()}))});
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1e-6, .momentum = 0.9}} |
               weir::WeightCopy{model.copies()})
                  .on(pool, weights.view());
  sync.settle();
  auto const enqueue = [&] { sync(pool(bench::Batch{1}, model)); };
  enqueue();  // kernels are loaded
  sync.wait();
  auto const graph = weir::CudaGraph::capture(executor, enqueue);
  auto const timings = bench::time_in_turns(
      executor.stream(), {{"weir", [&](std::size_t) { enqueue(); }}, {"weir, captured", [&](std::size_t) {
                                                                        graph.replay();
                                                                        sync.replayed();
                                                                      }}});
  sync.wait();
  std::string const measured = "MLP step, 4 x 4096, batch 4096, tiles of " + std::to_string(block) +
                               ", d = 1/" + std::to_string(static_cast<int>(1 / density));
  report.add({.measured = measured, .what = "weir", .timing = timings[0]});
  report.add({.measured = measured, .what = "weir, captured", .timing = timings[1]});
}

void steps(bench::Report& report) {
  for (std::uint32_t const block : {64u, 128u}) {
    for (double const density : {0.125, 0.25}) step(report, block, density);
  }
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"steps", steps}});
}
