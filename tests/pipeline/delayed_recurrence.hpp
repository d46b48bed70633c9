#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "pipeline/staged_model.hpp"
#include "weir/core/random.hpp"

/// Delayed updates of the staged network, w[t + 1] = w[t] - step(g(batch t; w[t - delay])), written down:
/// every version is kept, and each layer reads the one that its delay names.
namespace staged {

/// The rules of the optimizers, for one weight: its gradient, and what it remembers.
struct WrittenSgd {
  double rate;
  double momentum = 0;

  template <class Real>
  struct Memory {
    Real velocity = 0;
  };
  template <class Real>
  Real operator()(Real weight, Real gradient, Memory<Real>& memory, std::size_t) const {
    if (momentum == 0) return weight - gradient * Real(rate);
    memory.velocity = Real(momentum) * memory.velocity + gradient;
    return weight - memory.velocity * Real(rate);
  }
};

struct WrittenAdam {
  double rate;
  double weight_decay = 0.01;

  template <class Real>
  struct Memory {
    Real first = 0;
    Real second = 0;
  };
  template <class Real>
  Real operator()(Real weight, Real gradient, Memory<Real>& memory, std::size_t step) const {
    double power1 = 1;
    double power2 = 1;
    for (std::size_t i = 0; i < step; ++i) {
      power1 *= 0.9;
      power2 *= 0.999;
    }
    memory.first = memory.first * Real(0.9) + gradient * Real(1 - 0.9);
    memory.second = memory.second * Real(0.999) + (gradient * Real(1 - 0.999)) * gradient;
    Real const direction = memory.first * Real(1 / (1 - power1)) /
                           (std::sqrt(memory.second * Real(1 / (1 - power2))) + Real(1e-8));
    return weight - (weight * Real(weight_decay) + direction) * Real(rate);
  }
};

/// The same parameter of several layers, in ascending order.
struct Tie {
  std::vector<std::size_t> layers;
  std::size_t parameter = 0;  // of each: its matrix or, 1, its bias
};

struct Delayed {
  std::vector<std::size_t> delays;  // of each layer
  std::size_t micro_batches;        // of a run of one replica
  std::size_t period;
  std::size_t local_batch = 2;
  std::size_t runs = 3;
  std::size_t replicas = 1;  // each of which sums its micro-batches, before they are added
  std::vector<Tie> ties = {};
};

/// Of each weight, where it is: of a tied one in the first layer that has it; and by how many updates it is
/// read late: by as many as in any of its layers.
struct WrittenWeights {
  std::vector<std::size_t> owner = {};
  std::vector<std::size_t> delay = {};

  explicit WrittenWeights(Delayed const& shape) {
    for (std::size_t i = 0; i < shape.delays.size() * layer_parameters; ++i) {
      owner.push_back(i);
      delay.push_back(shape.delays[i / layer_parameters]);
    }
    for (auto const& [layers, parameter] : shape.ties) {
      std::size_t const size = parameter == 0 ? width * width : width;
      std::size_t const offset = parameter == 0 ? 0 : width * width;
      for (std::size_t i = offset; i < offset + size; ++i) {
        std::size_t const first = layers.front() * layer_parameters + i;
        for (std::size_t const layer : layers) {
          owner[layer * layer_parameters + i] = first;
          delay[first] = std::max(delay[first], shape.delays[layer]);
        }
      }
    }
  }
};

/// What `WholeModel` is called with.
template <class Real>
struct WrittenMicro {
  Batch batch;
  std::vector<Real> const& all_weights;
  std::vector<Real>& all_gradients;
  Real scale;
  bool adds;

  static std::size_t place(std::size_t p) { return p / 2 * layer_parameters + p % 2 * width * width; }
  static std::size_t size(std::size_t p) { return p % 2 == 0 ? width * width : width; }

  Batch samples() const { return batch; }
  std::span<Real const> weights(std::size_t p) const {
    return std::span<Real const>(all_weights).subspan(place(p), size(p));
  }
  std::span<Real> gradient(std::size_t p) const {
    return std::span(all_gradients).subspan(place(p), size(p));
  }
  bool accumulate() const { return adds; }
  Real loss_scale() const { return scale; }
  weir::RandomStream random(std::uint32_t) const { return {}; }
  void loss(double) const {}
};

/// The weights after the last run. `data` are the samples of a run, those of replica 0 first. What layers add
/// to the gradient of a tied weight is summed over the micro-batches first, then in the order of the layers.
template <class Real, class Rule>
std::vector<Real> delayed_recurrence(Delayed const& shape, Batch data, Rule const& rule) {
  std::size_t const layers = shape.delays.size();
  std::size_t const elements = layers * layer_parameters;
  std::size_t const share = data.size() / shape.replicas;
  auto const [owner, delays] = WrittenWeights(shape);
  std::vector<std::vector<Real>> versions{initial_weights<Real>(layers)};
  std::vector<typename Rule::template Memory<Real>> memory(elements);
  WholeModel<Real> const model{layers};
  for (std::size_t run = 0; run < shape.runs; ++run) {
    std::size_t const first = versions.size() - 1;
    for (std::size_t t = 0; t < shape.micro_batches / shape.period; ++t) {
      std::vector<Real> read(elements);
      for (std::size_t i = 0; i < elements; ++i) {
        std::size_t const delay = delays[owner[i]];
        read[i] = versions[first + (t < delay ? 0 : t - delay)][owner[i]];
      }
      std::vector<Real> gradient(elements);
      std::size_t samples = 0;
      for (std::size_t replica = 0; replica < shape.replicas; ++replica) {
        std::vector<Real> part(elements);
        for (std::size_t j = 0; j < shape.period; ++j) {
          std::size_t const begin = (t * shape.period + j) * shape.local_batch;
          Batch const batch =
              data.subspan(replica * share + begin, std::min(shape.local_batch, share - begin));
          Real const scale = Real(double(batch.size()) / double(shape.local_batch));
          WrittenMicro<Real> micro{batch, read, part, scale, j != 0};
          model(micro);
          samples += batch.size();
        }
        for (std::size_t i = 0; i < elements; ++i) {
          if (owner[i] != i) part[owner[i]] = part[owner[i]] + part[i];
        }
        for (std::size_t i = 0; i < elements; ++i)
          gradient[i] = replica == 0 ? part[i] : gradient[i] + part[i];
      }
      Real const factor = Real(double(shape.local_batch) / double(samples));
      std::vector<Real> next = versions.back();
      for (std::size_t i = 0; i < elements; ++i)
        next[i] =
            owner[i] != i ? next[owner[i]] : rule(next[i], gradient[i] * factor, memory[i], versions.size());
      versions.push_back(std::move(next));
    }
  }
  return versions.back();
}

}  // namespace staged
