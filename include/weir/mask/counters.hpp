#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "weir/core/error.hpp"
#include "weir/mask/design/legacy_iddl.hpp"
#include "weir/mask/make_design.hpp"

namespace weir::inline v1 {

/// What the weights of the layers that can be masked are.
enum class MaskKind : std::uint8_t {
  dense,
  legacy,    ///< `legacy_iddl`
  balanced,  ///< family auto without a density, canonical
};

/// The live weights between so many inputs and outputs.
inline std::uint64_t live_entries(MaskKind kind, std::size_t outputs, std::size_t inputs) {
  switch (kind) {
    case MaskKind::dense:
      return std::uint64_t{outputs} * inputs;
    case MaskKind::legacy:
      return legacy_iddl(outputs, inputs).nnz();
    case MaskKind::balanced:
      return make_design({.outputs = outputs, .inputs = inputs}).design.nnz();
  }
  return 0;
}

enum class LayerKind : std::uint8_t { convolution, batch_norm, fully_connected };

/// A layer as far as counters are concerned. Those that cost nothing are left out.
struct CountedLayer {
  LayerKind kind = LayerKind::fully_connected;
  std::size_t inputs = 0;  ///< channels or features; of all groups
  std::size_t outputs = 0;
  std::size_t taps = 1;       ///< of the kernel, kh * kw
  std::size_t positions = 1;  ///< of the output, height * width
  std::size_t groups = 1;
  bool is_masked = false;
  bool has_bias = false;
};

/// Multiply-adds, padding taps counted; batch norm 2 per element.
struct MultiplyAdds {
  static constexpr std::uint64_t batch_norm_per_element = 2;
  static constexpr std::uint64_t fully_connected(std::uint64_t weights, std::uint64_t) { return weights; }
};

/// An older convention: batch norm 4 per element, and a fully connected layer of F inputs 2F - 1 per output.
struct SeparateAdditions {
  static constexpr std::uint64_t batch_norm_per_element = 4;
  static constexpr std::uint64_t fully_connected(std::uint64_t weights, std::uint64_t outputs) {
    return 2 * weights - outputs;
  }
};

/// The weights of a layer that are not known to be 0. Errors: `ContractViolation` for groups that do not
/// divide its channels.
inline std::uint64_t count_weights(CountedLayer const& layer, MaskKind kind) {
  if (layer.kind == LayerKind::batch_norm) return 2 * std::uint64_t{layer.outputs};
  if (layer.groups == 0 || layer.inputs % layer.groups != 0 || layer.outputs % layer.groups != 0) {
    throw ContractViolation("count_weights: groups " + std::to_string(layer.groups) +
                            ", a divisor of inputs " + std::to_string(layer.inputs) + " and outputs " +
                            std::to_string(layer.outputs) + " would be right");
  }
  MaskKind const used = layer.is_masked ? kind : MaskKind::dense;
  return layer.groups * live_entries(used, layer.outputs / layer.groups, layer.inputs / layer.groups) *
         layer.taps;
}

/// Weights, biases, and two numbers per channel of a batch norm.
inline std::uint64_t count_parameters(std::span<CountedLayer const> layers, MaskKind kind) {
  std::uint64_t count = 0;
  for (CountedLayer const& layer : layers)
    count += count_weights(layer, kind) + (layer.has_bias ? layer.outputs : 0);
  return count;
}

/// Operations of a forward pass of one sample.
template <class Rule = MultiplyAdds>
std::uint64_t count_flops(std::span<CountedLayer const> layers, MaskKind kind, Rule = {}) {
  std::uint64_t count = 0;
  for (CountedLayer const& layer : layers) {
    if (layer.kind == LayerKind::batch_norm) {
      count += Rule::batch_norm_per_element * layer.outputs * layer.positions;
    } else if (layer.kind == LayerKind::convolution) {
      count += count_weights(layer, kind) * layer.positions;
    } else {
      count += Rule::fully_connected(count_weights(layer, kind), layer.outputs);
    }
  }
  return count;
}

}  // namespace weir::inline v1
