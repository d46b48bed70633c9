#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir_design {

/// A network of fully connected layers with its live weights, biases aside.
struct MlpRow {
  struct Weights {
    std::uint64_t all = 0;
    std::vector<std::uint64_t> layers = {};
  };

  std::string name = {};
  std::vector<std::size_t> widths = {};
  Weights dense = {};
  Weights legacy = {};
  Weights balanced = {};
  std::uint64_t biases = 0;
};

/// A ResNet with its operations and parameters.
struct ResNetRow {
  struct Counts {
    std::uint64_t flops = 0;
    std::uint64_t parameters = 0;
  };

  std::string name = {};
  std::size_t groups = 1;
  Counts dense = {};
  std::optional<Counts> legacy = {};  // which has no groups
  Counts balanced = {};
};

std::vector<MlpRow> mlp_table();
std::vector<ResNetRow> resnet_table();

}  // namespace weir_design
