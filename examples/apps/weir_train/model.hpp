#pragma once

#include <cstddef>
#include <vector>

#include "network.hpp"
#include "softmax_cross_entropy.hpp"
#include "workspace.hpp"

namespace weir_train {

/// What `StreamWorkerPool` calls for each micro-batch: forward, loss, backward.
template <class Real>
class Model {
 public:
  Model(Network<Real> const& network, Images const& images, std::size_t workers, std::size_t batch)
      : network_(network), images_(images) {
    workspaces_.reserve(workers);
    for (std::size_t worker = 0; worker < workers; ++worker) workspaces_.emplace_back(network, batch);
  }

  template <class Micro>
  void operator()(Micro& micro) {
    Workspace<Real>& workspace = workspaces_[micro.worker()];
    workspace.load(images_, micro.samples());
    for (std::size_t layer = 0; layer < network_.layers(); ++layer) {
      LayerPass<Real>& pass = workspace.pass(layer);
      for_each_parameter(layer, [&](std::size_t parameter, std::size_t place) {
        pass.parameters[place] = micro.weights(parameter).data();
      });
      network_.layer(layer).forward(pass);
    }

    micro.loss(softmax_cross_entropy(workspace.logits(), workspace.labels(), network_.classes(),
                                     micro.loss_scale(), workspace.logits_gradient()));

    for (std::size_t layer = network_.layers(); layer-- > 0;) {
      LayerPass<Real>& pass = workspace.pass(layer);
      pass.accumulate = micro.accumulate();
      for_each_parameter(layer, [&](std::size_t parameter, std::size_t place) {
        pass.gradients[place] = micro.gradient(parameter).data();
      });
      network_.layer(layer).backward(pass);
      // The layers below do not need these parameters, so their gradients can leave while those are at work.
      for_each_parameter(layer,
                         [&](std::size_t parameter, std::size_t) { micro.ready_parameter(parameter); });
    }
  }

 private:
  /// Calls `f(parameter, place)` with the number in the network and in the layer.
  template <class Function>
  void for_each_parameter(std::size_t layer, Function f) const {
    std::size_t const first = network_.first_parameter(layer);
    for (std::size_t parameter = first; parameter < network_.first_parameter(layer + 1); ++parameter) {
      f(parameter, parameter - first);
    }
  }

  Network<Real> const& network_;
  Images const& images_;
  std::vector<Workspace<Real>> workspaces_;
};

}  // namespace weir_train
