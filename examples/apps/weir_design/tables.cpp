#include "tables.hpp"

#include <utility>

#include "weir/mask/counted_networks.hpp"
#include "weir/mask/counters.hpp"

namespace weir_design {
namespace {

using weir::MaskKind;
using Layers = std::vector<weir::CountedLayer>;

MlpRow::Weights weights(Layers const& layers, MaskKind kind) {
  MlpRow::Weights weights{weir::count_parameters(layers, kind)};
  for (weir::CountedLayer const& layer : layers) weights.layers.push_back(weir::count_weights(layer, kind));
  return weights;
}

ResNetRow::Counts counts(Layers const& layers, MaskKind kind) {
  return {weir::count_flops(layers, kind), weir::count_parameters(layers, kind)};
}

}  // namespace

std::vector<MlpRow> mlp_table() {
  struct Network {
    char const* name;
    std::vector<std::size_t> widths;
  };
  Network const networks[] = {{"MLP-2", {784, 16, 10}},
                              {"MLP-3", {784, 16, 16, 10}},
                              {"MLP-4", {784, 16, 32, 16, 10}},
                              {"MLP-5", {784, 16, 32, 32, 16, 10}},
                              {"MLP-7", {784, 16, 32, 32, 32, 32, 16, 10}},
                              {"MLP-3-1", {784, 16, 20, 10}},
                              {"MLP-3-2", {784, 25, 30, 10}},
                              {"MLP-3-3", {784, 36, 42, 10}},
                              {"MLP-3-4", {784, 49, 56, 10}},
                              {"MLP-112-56", {784, 112, 56, 10}},
                              {"MLP-CIFAR", {3072, 112, 56, 10}}};
  std::vector<MlpRow> rows;
  for (Network const& network : networks) {
    Layers const layers = weir::mlp_layers(network.widths);
    MlpRow row;
    row.name = network.name;
    row.widths = network.widths;
    row.dense = weights(layers, MaskKind::dense);
    row.legacy = weights(layers, MaskKind::legacy);
    row.balanced = weights(layers, MaskKind::balanced);
    for (weir::CountedLayer const& layer : layers) row.biases += layer.outputs;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<ResNetRow> resnet_table() {
  std::vector<ResNetRow> rows;
  for (std::size_t const depth : {18u, 34u, 50u, 101u, 152u}) {
    for (std::size_t const groups : {1u, 2u, 4u, 8u}) {
      Layers const layers = weir::resnet_layers(depth, groups);
      ResNetRow row;
      row.name = "ResNet-" + std::to_string(depth);
      row.groups = groups;
      row.dense = counts(layers, MaskKind::dense);
      if (groups == 1) row.legacy = counts(layers, MaskKind::legacy);
      row.balanced = counts(layers, MaskKind::balanced);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace weir_design
