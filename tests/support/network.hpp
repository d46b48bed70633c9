#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/tensor/bucket_plan.hpp"

/// A network of two hidden layers in plain loops, and its gradient in double over a whole batch.
namespace network {

inline constexpr std::size_t inputs = 4;
inline constexpr std::size_t hidden = 6;

/// The parameters, in registration order.
enum : std::size_t { first, bias, second, last, parameters };
inline constexpr std::size_t elements[parameters] = {hidden * inputs, hidden, hidden* hidden, hidden};
inline constexpr std::size_t offsets[parameters + 1] = {0, 24, 30, 66, 72};
inline constexpr std::size_t total = offsets[parameters];

struct Sample {
  float x[inputs];
  float y;
};
using Batch = std::span<Sample const>;

/// One bucket per parameter: bucket 0 is `last`, bucket 3 is `first`.
inline weir::BucketPlan plan(weir::ElementType type = weir::ElementType::float32) {
  std::vector<weir::Parameter> list;
  for (std::size_t size : elements) list.push_back({size, type});
  return weir::BucketPlan::per_parameter(list);
}

/// Uniform in [-1, 1).
class Uniform {
 public:
  explicit Uniform(unsigned seed) : bits_(seed) {}
  float operator()() {
    return static_cast<float>(static_cast<std::int32_t>(bits_() & 0xffffff) - 0x800000) * 0x1p-23f;
  }

 private:
  std::mt19937 bits_;
};

inline std::vector<Sample> samples(std::size_t count, unsigned seed = 1) {
  Uniform uniform(seed);
  std::vector<Sample> result(count);
  for (Sample& sample : result) {
    sample.y = 0.25f;
    for (float& x : sample.x) sample.y += 0.5f * (x = uniform());
  }
  return result;
}

template <class Real = float>
std::vector<Real> initial_weights() {
  Uniform uniform(7);
  std::vector<Real> weights(total);
  for (Real& weight : weights) weight = static_cast<Real>(0.7f * uniform());
  return weights;
}

/// Writes, or adds, `scale` times the gradient of the mean of error^2 / 2, parameter by parameter from the
/// last to the first. `weights(p)` and `gradient(p)` give pointers. `done(p)` is called when the gradient is
/// final and the weights of p will not be read again. Returns the mean loss.
template <class Real, class Weights, class Gradient, class Done>
double backward(Batch batch, Real scale, bool adds, Weights weights, Gradient gradient, Done done) {
  std::size_t const count = batch.size();
  std::vector<Real> one(count * hidden), two(count * hidden), delta_one(count * hidden),
      delta_two(count * hidden), error(count);
  double loss = 0.0;
  for (std::size_t s = 0; s < count; ++s) {
    error[s] = -static_cast<Real>(batch[s].y);
    for (std::size_t j = 0; j < hidden; ++j) {
      Real sum = weights(bias)[j];
      for (std::size_t i = 0; i < inputs; ++i)
        sum += weights(first)[j * inputs + i] * static_cast<Real>(batch[s].x[i]);
      one[s * hidden + j] = std::tanh(sum);
    }
    for (std::size_t j = 0; j < hidden; ++j) {
      Real sum = 0;
      for (std::size_t i = 0; i < hidden; ++i) sum += weights(second)[j * hidden + i] * one[s * hidden + i];
      two[s * hidden + j] = std::tanh(sum);
      error[s] += weights(last)[j] * two[s * hidden + j];
    }
    loss += 0.5 * static_cast<double>(error[s]) * static_cast<double>(error[s]);
  }
  Real const factor = scale / static_cast<Real>(count);
  auto const put = [&](Real& to, Real sum) { to = (adds ? to : Real{0}) + factor * sum; };

  Real* out = gradient(last);
  for (std::size_t j = 0; j < hidden; ++j) {
    Real sum = 0;
    for (std::size_t s = 0; s < count; ++s) {
      Real const value = two[s * hidden + j];
      sum += error[s] * value;
      delta_two[s * hidden + j] = error[s] * weights(last)[j] * (1 - value * value);
    }
    put(out[j], sum);
  }
  done(last);

  // The gradient of the weights is final before the gradient of the layer's input, which still reads them.
  out = gradient(second);
  for (std::size_t j = 0; j < hidden; ++j) {
    for (std::size_t i = 0; i < hidden; ++i) {
      Real sum = 0;
      for (std::size_t s = 0; s < count; ++s) sum += delta_two[s * hidden + j] * one[s * hidden + i];
      put(out[j * hidden + i], sum);
    }
  }
  for (std::size_t s = 0; s < count; ++s) {
    for (std::size_t i = 0; i < hidden; ++i) {
      Real sum = 0;
      for (std::size_t j = 0; j < hidden; ++j)
        sum += delta_two[s * hidden + j] * weights(second)[j * hidden + i];
      Real const value = one[s * hidden + i];
      delta_one[s * hidden + i] = sum * (1 - value * value);
    }
  }
  done(second);

  out = gradient(bias);
  for (std::size_t j = 0; j < hidden; ++j) {
    Real sum = 0;
    for (std::size_t s = 0; s < count; ++s) sum += delta_one[s * hidden + j];
    put(out[j], sum);
  }
  done(bias);

  out = gradient(first);
  for (std::size_t j = 0; j < hidden; ++j) {
    for (std::size_t i = 0; i < inputs; ++i) {
      Real sum = 0;
      for (std::size_t s = 0; s < count; ++s)
        sum += delta_one[s * hidden + j] * static_cast<Real>(batch[s].x[i]);
      put(out[j * inputs + i], sum);
    }
  }
  done(first);
  return loss / static_cast<double>(count);
}

/// The model that tests give to a pool. `hook(micro, parameter)` is called just before a parameter is
/// reported.
template <class Hook>
class Model {
 public:
  explicit Model(Hook hook) : hook_(std::move(hook)) {}

  template <class Micro>
  void operator()(Micro& micro) const {
    using Real = typename decltype(micro.gradient(0))::element_type;
    double const mean = backward<Real>(
        micro.samples(), micro.loss_scale(), micro.accumulate(),
        [&](std::size_t p) { return micro.weights(p).data(); },
        [&](std::size_t p) { return micro.gradient(p).data(); },
        [&](std::size_t p) {
          hook_(micro, p);
          micro.ready_parameter(p);
        });
    micro.loss(mean);
  }

 private:
  Hook hook_;
};

struct NoHook {
  template <class Micro>
  void operator()(Micro&, std::size_t) const {}
};

inline Model<NoHook> model() {
  return Model<NoHook>(NoHook{});
}

/// The gradient of the mean loss of a whole batch, in double.
template <class Real>
std::vector<double> gradient(std::vector<Real> const& weights, Batch batch) {
  std::vector<double> const exact(weights.begin(), weights.end());
  std::vector<double> result(total);
  backward<double>(
      batch, 1.0, false, [&](std::size_t p) { return exact.data() + offsets[p]; },
      [&](std::size_t p) { return result.data() + offsets[p]; }, [](std::size_t) {});
  return result;
}

inline double norm(std::vector<double> const& values) {
  double sum = 0.0;
  for (double value : values) sum += value * value;
  return std::sqrt(sum);
}

/// |found - gradient(weights, batch)| over the mean norm of the gradients of the micro-batches.
template <class Real, class Found>
double relative_error(std::vector<Real> const& weights, Batch batch, std::size_t local_batch,
                      std::vector<Found> const& found) {
  auto difference = gradient(weights, batch);
  for (std::size_t i = 0; i < total; ++i) difference[i] -= static_cast<double>(found[i]);
  double norms = 0.0;
  std::size_t count = 0;
  for (std::size_t at = 0; at < batch.size(); at += local_batch, ++count)
    norms += norm(gradient(weights, batch.subspan(at, std::min(local_batch, batch.size() - at))));
  return norm(difference) * static_cast<double>(count) / norms;
}

}
