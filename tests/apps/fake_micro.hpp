#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../../examples/apps/weir_train/network.hpp"

/// Stands in for the micro-batch that `StreamWorkerPool` gives to a model.
template <class Real>
struct FakeMicro {
  FakeMicro(weir_train::Network<Real> const& network, std::span<std::uint32_t const> batch)
      : batch_(batch), reported(network.parameters().size()) {
    std::size_t offset = 0;
    for (auto const& parameter : network.parameters()) {
      offsets_.push_back(offset);
      sizes_.push_back(parameter.elements);
      offset += parameter.elements;
    }
    values.resize(offset);
    gradients.resize(offset);
  }

  std::size_t worker() const { return 0; }
  std::span<std::uint32_t const> samples() const { return batch_; }
  std::span<Real const> weights(std::size_t parameter) const {
    return {values.data() + offsets_[parameter], sizes_[parameter]};
  }
  std::span<Real> gradient(std::size_t parameter) {
    return {gradients.data() + offsets_[parameter], sizes_[parameter]};
  }
  bool accumulate() const { return adds; }
  double loss_scale() const { return scale; }
  void loss(double mean) { mean_loss = mean; }
  void ready_parameter(std::size_t parameter) {
    reported[parameter]++;
    order.push_back(parameter);
  }

 private:
  std::span<std::uint32_t const> batch_;
  std::vector<std::size_t> offsets_, sizes_;

 public:
  std::vector<Real> values, gradients;
  std::vector<int> reported;
  std::vector<std::size_t> order = {};
  bool adds = false;
  double scale = 1;
  double mean_loss = 0;
};
