#pragma once

#include <cstddef>
#include <vector>

#include "weir/plan/profile_step.hpp"
#include "weir_train/dataset.hpp"
#include "weir_train/network.hpp"
#include "weir_train/softmax_cross_entropy.hpp"
#include "weir_train/workspace.hpp"

namespace weir_plan {

/// The network of weir-train as a model that can be run in parts.
class MeasuredMlp {
 public:
  MeasuredMlp(weir_train::Network<float> const& network, weir_train::Images const& images, std::size_t batch)
      : network_(network), images_(images), batch_(batch) {}

  void resize(std::size_t workers) {
    while (workspaces_.size() > workers) workspaces_.pop_back();
    while (workspaces_.size() < workers) workspaces_.emplace_back(network_, batch_);
  }

  template <class Micro>
  void operator()(Micro& micro, weir::StepPart part = weir::StepPart::backward) {
    auto& workspace = workspaces_[micro.worker()];
    workspace.load(images_, micro.samples());
    if (part == weir::StepPart::data) return;
    forward(micro, workspace);
    if (part == weir::StepPart::backward) backward(micro, workspace);
  }

 private:
  using Workspace = weir_train::Workspace<float>;

  template <class Micro>
  void forward(Micro& micro, Workspace& workspace) {
    for (std::size_t layer = 0; layer < network_.layers(); ++layer) {
      auto& pass = workspace.pass(layer);
      std::size_t const first = network_.first_parameter(layer);
      for (std::size_t p = first; p < network_.first_parameter(layer + 1); ++p)
        pass.parameters[p - first] = micro.weights(p).data();
      network_.layer(layer).forward(pass);
    }
    micro.loss(weir_train::softmax_cross_entropy(workspace.logits(), workspace.labels(), network_.classes(),
                                                 micro.loss_scale(), workspace.logits_gradient()));
  }

  template <class Micro>
  void backward(Micro& micro, Workspace& workspace) {
    for (std::size_t layer = network_.layers(); layer-- > 0;) {
      auto& pass = workspace.pass(layer);
      std::size_t const first = network_.first_parameter(layer);
      pass.accumulate = micro.accumulate();
      for (std::size_t p = first; p < network_.first_parameter(layer + 1); ++p)
        pass.gradients[p - first] = micro.gradient(p).data();
      network_.layer(layer).backward(pass);
      for (std::size_t p = first; p < network_.first_parameter(layer + 1); ++p) micro.ready_parameter(p);
    }
  }

  weir_train::Network<float> const& network_;
  weir_train::Images const& images_;
  std::size_t batch_;
  std::vector<Workspace> workspaces_;
};

}  // namespace weir_plan
