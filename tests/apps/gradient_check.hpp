#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "../../examples/apps/weir_train/model.hpp"
#include "fake_micro.hpp"

inline weir_train::Images random_images(weir_train::Shape shape, std::size_t count, std::uint64_t seed) {
  weir_train::Images images{.shape = shape, .classes = 10, .scale = 1.0f / 255.0f};
  weir::RandomStream const random{.seed = seed};
  for (std::size_t i = 0; i < count * shape.size(); ++i)
    images.pixels.push_back(static_cast<std::uint8_t>(random.word(i) % 256));
  for (std::size_t i = 0; i < count; ++i)
    images.labels.push_back(static_cast<std::uint8_t>(random.word(i) % 10));
  return images;
}

template <class Real>
FakeMicro<Real> micro_of(weir_train::Network<Real> const& network, std::span<std::uint32_t const> samples) {
  FakeMicro<Real> micro(network, samples);
  network.initialise(3, micro.values);
  // Biases start at zero; here they shall matter.
  weir::RandomStream const random{.seed = 17};
  for (std::size_t i = 0; i < micro.values.size(); ++i) {
    if (micro.values[i] == 0) micro.values[i] = static_cast<Real>(random.uniform(i) - 0.3f);
  }
  return micro;
}

/// Compares every stride-th derivative with a central difference, for 7 samples or more.
inline void check_gradient(weir_train::Network<double> const& network, weir_train::Images const& images,
                           std::size_t stride) {
  std::vector<std::uint32_t> const samples{4, 0, 6, 3, 3};
  weir_train::Model<double> model(network, images, 1, 5);
  auto micro = micro_of(network, samples);
  micro.scale = 1.75;
  model(micro);
  auto const gradients = micro.gradients;
  double worst = 0;
  for (std::size_t i = 0; i < micro.values.size(); i += stride) {
    double const value = micro.values[i], step = 1e-7;
    micro.values[i] = value + step;
    model(micro);
    double const above = micro.mean_loss;
    micro.values[i] = value - step;
    model(micro);
    double const difference = (above - micro.mean_loss) / (2 * step);
    micro.values[i] = value;
    worst = std::max(worst, std::abs(1.75 * difference - gradients[i]));
  }
  double const largest = std::abs(*std::max_element(
      gradients.begin(), gradients.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
  CHECK(largest > 1e-2);
  CHECK(worst < 1e-7 * largest + 1e-8);
}

inline void check_gradient(weir_train::Network<double> const& network, std::size_t stride) {
  check_gradient(network, random_images(network.input(), 7, 5), stride);
}

/// The gradients of a micro-batch are overwritten, or added to, as it says.
inline void check_accumulation(weir_train::Network<double> const& network) {
  weir_train::Images const images = random_images(network.input(), 3, 2);
  std::vector<std::uint32_t> const samples{1, 2};
  weir_train::Model<double> model(network, images, 1, 2);
  auto micro = micro_of<double>(network, samples);
  std::fill(micro.gradients.begin(), micro.gradients.end(), 1e9);
  model(micro);
  auto const once = micro.gradients;
  micro.adds = true;
  model(micro);
  double worst = 0;
  for (std::size_t i = 0; i < once.size(); ++i)
    worst = std::max(worst, std::abs(micro.gradients[i] - 2 * once[i]));
  CHECK(worst < 1e-12);
}
