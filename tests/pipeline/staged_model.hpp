#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "weir/core/random.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// A small network of layers that are stages of a pipeline, or run by one worker: y = leaky(W x + b), three
/// wide, with half of the squared distance from the target as its loss.
namespace staged {

constexpr std::size_t width = 3;
constexpr std::size_t layer_parameters = width * width + width;

struct Sample {
  double x[width];
  double target[width];
};
using Batch = std::span<Sample const>;

inline std::vector<Sample> samples(std::size_t count) {
  weir::RandomStream const random{.seed = 3};
  std::vector<Sample> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      result[i].x[k] = double{random.uniform(8 * i + k)} - 0.5;
      result[i].target[k] = double{random.uniform(8 * i + 4 + k)};
    }
  }
  return result;
}

template <class Real>
std::vector<Real> initial_weights(std::size_t layers) {
  weir::RandomStream const random{.seed = 5};
  std::vector<Real> weights(layers * layer_parameters);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = static_cast<Real>(random.uniform(i)) - Real(0.3);
  return weights;
}

/// z = W x + b; y = leaky(z) times a mask.
template <class Real>
void forward(Real const* w, Real const* b, Real const* x, std::size_t n, Real* z, Real* y,
             weir::RandomStream const* dropout) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t r = 0; r < width; ++r) {
      Real sum = b[r];
      for (std::size_t c = 0; c < width; ++c) sum += w[r * width + c] * x[i * width + c];
      if (dropout != nullptr && dropout->uniform(i * width + r) < 0.25f) sum = 0;
      z[i * width + r] = sum;
      y[i * width + r] = sum > 0 ? sum : sum / 4;
    }
  }
}

/// The gradient of z, from that of y; what was masked has none.
template <class Real>
Real slope(Real z) {
  return z > 0 ? Real(1) : z < 0 ? Real(0.25) : Real(0);
}

template <class Real>
void backward_input(Real const* w, Real const* z, Real const* gy, std::size_t n, Real* gx) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < width; ++c) {
      Real sum = 0;
      for (std::size_t r = 0; r < width; ++r)
        sum += w[r * width + c] * (gy[i * width + r] * slope(z[i * width + r]));
      gx[i * width + c] = sum;
    }
  }
}

template <class Real>
void backward_weight(Real const* x, Real const* z, Real const* gy, std::size_t n, Real* gw, Real* gb,
                     bool adds) {
  for (std::size_t r = 0; r < width; ++r) {
    Real bias = 0;
    for (std::size_t i = 0; i < n; ++i) bias += gy[i * width + r] * slope(z[i * width + r]);
    gb[r] = adds ? gb[r] + bias : bias;
    for (std::size_t c = 0; c < width; ++c) {
      Real sum = 0;
      for (std::size_t i = 0; i < n; ++i)
        sum += gy[i * width + r] * slope(z[i * width + r]) * x[i * width + c];
      gw[r * width + c] = adds ? gw[r * width + c] + sum : sum;
    }
  }
}

/// The gradient of the mean loss with respect to y, times `scale`.
template <class Real>
double loss(Batch batch, Real const* y, Real scale, Real* gy) {
  double sum = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      Real const error = y[i * width + k] - static_cast<Real>(batch[i].target[k]);
      gy[i * width + k] = error * (scale / static_cast<Real>(batch.size()));
      sum += 0.5 * double(error) * double(error);
    }
  }
  return sum / static_cast<double>(batch.size());
}

template <class Real>
std::vector<Real> first_input(Batch batch) {
  std::vector<Real> x;
  for (Sample const& sample : batch) {
    for (double const value : sample.x) x.push_back(static_cast<Real>(value));
  }
  return x;
}

/// All layers in one worker.
template <class Real>
struct WholeModel {
  std::size_t layers;
  bool has_dropout = false;

  void operator()(auto& micro) const {
    Batch const batch = micro.samples();
    std::size_t const n = batch.size();
    std::vector<std::vector<Real>> x{first_input<Real>(batch)};
    std::vector<std::vector<Real>> z;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      auto const random = micro.random(static_cast<std::uint32_t>(layer));
      z.emplace_back(n * width);
      x.emplace_back(n * width);
      forward<Real>(micro.weights(2 * layer).data(), micro.weights(2 * layer + 1).data(), x[layer].data(), n,
                    z[layer].data(), x[layer + 1].data(), has_dropout ? &random : nullptr);
    }
    std::vector<Real> gy(n * width);
    std::vector<Real> gx(n * width);
    micro.loss(loss<Real>(batch, x[layers].data(), micro.loss_scale(), gy.data()));
    for (std::size_t layer = layers; layer-- > 0;) {
      backward_weight<Real>(x[layer].data(), z[layer].data(), gy.data(), n, micro.gradient(2 * layer).data(),
                            micro.gradient(2 * layer + 1).data(), micro.accumulate());
      backward_input<Real>(micro.weights(2 * layer).data(), z[layer].data(), gy.data(), n, gx.data());
      gy.swap(gx);
    }
  }
};

/// One or more layers as a stage, with a backward in two parts. Of several layers only the last one's z is
/// kept, which is why there is one layer per stage here, or two.
template <class Real>
struct Stage {
  bool has_dropout = false;
  std::size_t first_layer = 0;
  std::size_t layers = 1;

  /// Elements per sample: z and y of each layer, and the gradient of each y.
  static weir::StageLayout layout(std::size_t layers) {
    weir::StageLayout layout{.outputs = {{width}}, .saved = 3 * width * layers};
    for (std::size_t i = 0; i < layers; ++i) {
      layout.parameters.push_back(width * width);
      layout.parameters.push_back(width);
    }
    return layout;
  }

  static Real* part(auto& micro, std::size_t index) {
    return micro.saved().data() + index * width * micro.samples().size();
  }

  void forward(auto& micro) const {
    std::size_t const n = micro.samples().size();
    std::vector<Real> const first = first_input<Real>(micro.samples());
    Real const* x = micro.input().empty() ? first.data() : micro.input().data();
    for (std::size_t i = 0; i < layers; ++i) {
      auto const random = micro.random(static_cast<std::uint32_t>(first_layer + i));
      Real* const y = part(micro, 3 * i + 1);
      staged::forward<Real>(micro.weights(2 * i).data(), micro.weights(2 * i + 1).data(), x, n,
                            part(micro, 3 * i), y, has_dropout ? &random : nullptr);
      x = y;
    }
    if (micro.output().empty()) {
      micro.loss(loss<Real>(micro.samples(), x, micro.loss_scale(), part(micro, 3 * layers - 1)));
    } else {
      for (std::size_t k = 0; k < n * width; ++k) micro.output()[k] = x[k];
    }
  }

  void backward_input(auto& micro) const {
    std::size_t const n = micro.samples().size();
    if (!micro.output_gradient().empty()) {
      Real* const last = part(micro, 3 * layers - 1);
      for (std::size_t k = 0; k < n * width; ++k) last[k] = micro.output_gradient()[k];
    }
    std::vector<Real> unused(n * width);
    for (std::size_t i = layers; i-- > 0;) {
      Real* const below = micro.input_gradient().empty() ? unused.data() : micro.input_gradient().data();
      staged::backward_input<Real>(micro.weights(2 * i).data(), part(micro, 3 * i), part(micro, 3 * i + 2), n,
                                   i == 0 ? below : part(micro, 3 * (i - 1) + 2));
    }
  }

  void backward_weight(auto& micro) const {
    std::vector<Real> const first = first_input<Real>(micro.samples());
    for (std::size_t i = 0; i < layers; ++i) {
      Real const* const below = micro.input().empty() ? first.data() : micro.input().data();
      staged::backward_weight<Real>(i == 0 ? below : part(micro, 3 * (i - 1) + 1), part(micro, 3 * i),
                                    part(micro, 3 * i + 2), micro.samples().size(),
                                    micro.gradient(2 * i).data(), micro.gradient(2 * i + 1).data(),
                                    micro.accumulate());
    }
  }
};

/// The stages of a network, of so many layers each; 0: an empty stage.
template <class Real>
struct Stages {
  explicit Stages(std::vector<std::size_t> const& layers, bool has_dropout = false) {
    for (std::size_t const count : layers) {
      list.push_back({has_dropout, total, count});
      layouts.push_back(Stage<Real>::layout(count));
      layouts.back().is_empty = count == 0;
      total += count;
    }
    // What the last stage with layers gives is its loss.
    for (std::size_t s = layouts.size(); s-- > 0;) {
      layouts[s].outputs.clear();
      if (!layouts[s].is_empty) break;
    }
  }

  std::vector<Stage<Real>> list;
  std::vector<weir::StageLayout> layouts;
  std::size_t total = 0;
};

inline weir::ScheduleTable make_table(char const* schedule, weir::ScheduleShape const& shape) {
  return weir::find_schedule(schedule)->make_table(shape);
}

/// Trains `steps` flushes with one worker; or with two, of which each takes half of the micro-batches.
template <class Real, class Optimizer, class Scale = weir::MeanOverSamples>
std::vector<Real> train_whole(std::size_t layers, Batch batch, std::size_t local_batch,
                              std::size_t micro_batches, std::size_t steps, Optimizer const& optimizer,
                              bool has_dropout = false, std::size_t workers = 1, Scale const& scale = {}) {
  std::vector<Real> weights = initial_weights<Real>(layers);
  std::vector<weir::Parameter> parameters;
  for (std::size_t i = 0; i < layers; ++i) {
    parameters.push_back({width * width, weir::element_type_of<Real>});
    parameters.push_back({width, weir::element_type_of<Real>});
  }
  weir::HostExecutor const executor;
  weir::StreamWorkerPool<weir::HostExecutor, Real> pool{executor,
                                                        {.workers = workers,
                                                         .buckets = weir::BucketPlan::by_bytes(parameters),
                                                         .local_batch = local_batch,
                                                         .seed = 9}};
  WholeModel<Real> const model{layers, has_dropout};
  auto sync = (weir::GradAccumulator{micro_batches / workers} | weir::LocalAggregator{scale} | optimizer)
                  .on(pool, weir::view(weights));
  for (std::size_t step = 0; step < steps; ++step) sync(pool(batch, model));
  sync.wait();
  return weights;
}

}  // namespace staged
