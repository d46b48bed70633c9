#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/counters.hpp"

namespace weir::inline v1 {

/// The layers of a multi-layer perceptron without biases; `widths` begin with the inputs. The last layer is
/// dense, the others can be masked.
inline std::vector<CountedLayer> mlp_layers(std::span<std::size_t const> widths) {
  std::vector<CountedLayer> layers;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    layers.push_back({.kind = LayerKind::fully_connected,
                      .inputs = widths[i - 1],
                      .outputs = widths[i],
                      .is_masked = i + 1 < widths.size()});
  }
  return layers;
}

/// Whether the 1 x 1 shortcuts of a ResNet can be masked. They are most of what remains where its blocks are.
enum class Shortcuts : std::uint8_t { dense, masked };

namespace detail {

/// Puts a ResNet for images of 32 x 32 together.
class ResNetLayers {
 public:
  ResNetLayers(std::size_t groups, Shortcuts shortcuts)
      : groups_(groups), masks_shortcuts_(shortcuts == Shortcuts::masked) {
    convolution(3, 64, 3, 1, 1, false);
  }

  /// `blocks` blocks of a stage, the first of which has the stride.
  void stage(std::size_t width, std::size_t blocks, std::size_t stride, bool has_bottlenecks) {
    std::size_t const outputs = has_bottlenecks ? 4 * width : width;
    for (std::size_t block = 0; block < blocks; ++block, stride = 1) {
      std::size_t const inputs = channels_;
      std::size_t const side = side_;
      if (has_bottlenecks) {
        in_block(inputs, width, 1, 1);
        in_block(width, width, 3, stride);
        in_block(width, outputs, 1, 1);
      } else {
        in_block(inputs, width, 3, stride);
        in_block(width, width, 3, 1);
      }
      if (inputs == outputs && stride == 1) continue;
      side_ = side;  // the shortcut, beside them
      convolution(inputs, outputs, 1, stride, 1, masks_shortcuts_);
    }
  }

  std::vector<CountedLayer> finish(std::size_t classes) {
    layers_.push_back(
        {.kind = LayerKind::fully_connected, .inputs = channels_, .outputs = classes, .has_bias = true});
    return layers_;
  }

 private:
  void in_block(std::size_t inputs, std::size_t outputs, std::size_t kernel, std::size_t stride) {
    convolution(inputs, outputs, kernel, stride, groups_, true);
  }
  /// With its batch norm.
  void convolution(std::size_t inputs, std::size_t outputs, std::size_t kernel, std::size_t stride,
                   std::size_t groups, bool is_masked) {
    side_ /= stride;
    channels_ = outputs;
    layers_.push_back({.kind = LayerKind::convolution,
                       .inputs = inputs,
                       .outputs = outputs,
                       .taps = kernel * kernel,
                       .positions = side_ * side_,
                       .groups = groups,
                       .is_masked = is_masked});
    layers_.push_back({.kind = LayerKind::batch_norm, .outputs = outputs, .positions = side_ * side_});
  }

  std::size_t groups_;
  bool masks_shortcuts_;
  std::size_t side_ = 32;
  std::size_t channels_ = 0;
  std::vector<CountedLayer> layers_ = {};
};

}  // namespace detail

/// The layers of ResNet-18, -34, -50, -101 or -152 for images of 32 x 32 and 10 classes: a 3 x 3 stem without
/// pooling after it, 1 x 1 shortcuts where the shape changes. Convolutions of the blocks can be masked and
/// are in groups; shortcuts are in one, and can be masked on request.
///
/// Errors: ContractViolation for another depth, and for groups that do not divide 64.
inline std::vector<CountedLayer> resnet_layers(std::size_t depth, std::size_t groups = 1,
                                               Shortcuts shortcuts = Shortcuts::dense) {
  struct Blocks {
    std::size_t depth;
    std::size_t of_stage[4];
  };
  if (groups == 0 || 64 % groups != 0)
    throw ContractViolation("groups " + std::to_string(groups) + ": a divisor of 64 would be right");
  for (Blocks const& known : {Blocks{18, {2, 2, 2, 2}}, Blocks{34, {3, 4, 6, 3}}, Blocks{50, {3, 4, 6, 3}},
                              Blocks{101, {3, 4, 23, 3}}, Blocks{152, {3, 8, 36, 3}}}) {
    if (known.depth != depth) continue;
    detail::ResNetLayers layers(groups, shortcuts);
    for (std::size_t stage = 0; stage < 4; ++stage)
      layers.stage(std::size_t{64} << stage, known.of_stage[stage], stage == 0 ? 1 : 2, depth >= 50);
    return layers.finish(10);
  }
  throw ContractViolation("depth " + std::to_string(depth) + ": 18, 34, 50, 101 or 152 would be right");
}

}  // namespace weir::inline v1
