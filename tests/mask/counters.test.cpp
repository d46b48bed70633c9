#include "weir/mask/counters.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

using weir::CountedLayer;
using weir::LayerKind;
using weir::MaskKind;

}  // namespace

TEST_CASE("count_flops and count_parameters: each kind of layer") {
  std::vector<CountedLayer> const layers = {
      {.kind = LayerKind::convolution, .inputs = 8, .outputs = 16, .taps = 9, .positions = 100, .groups = 2},
      {.kind = LayerKind::batch_norm, .outputs = 16, .positions = 100},
      {.kind = LayerKind::fully_connected, .inputs = 16, .outputs = 5, .has_bias = true}};
  CHECK(weir::count_parameters(layers, MaskKind::dense) == 16 * 4 * 9 + 32 + 80 + 5);
  CHECK(weir::count_flops(layers, MaskKind::dense) == 16 * 4 * 9 * 100 + 2 * 1600 + 80);
  CHECK(weir::count_flops(layers, MaskKind::dense, weir::SeparateAdditions{}) ==
        16 * 4 * 9 * 100 + 4 * 1600 + 5 * 31);
}

TEST_CASE("count_weights: only masked layers are, each group on its own") {
  CountedLayer layer = {.kind = LayerKind::convolution, .inputs = 64, .outputs = 64, .taps = 9, .groups = 2};
  CHECK(weir::count_weights(layer, MaskKind::balanced) == 2 * 32 * 32 * 9);
  layer.is_masked = true;
  CHECK(weir::count_weights(layer, MaskKind::balanced) == 2 * (32 * 32 / 4) * 9);
}

TEST_CASE("live_entries: dense, by the prototype, balanced") {
  CHECK(weir::live_entries(MaskKind::dense, 36, 42) == 36 * 42);
  CHECK(weir::live_entries(MaskKind::legacy, 42, 36) == 252);
  CHECK(weir::live_entries(MaskKind::balanced, 42, 36) == 378);
}

TEST_CASE("count_weights: groups that do not divide the channels are refused") {
  weir::CountedLayer const layer = {weir::LayerKind::convolution, 30, 32, 9, 1, 4};
  CHECK_THROWS_WITH_AS(weir::count_weights(layer, weir::MaskKind::dense),
                       "count_weights: groups 4, a divisor of inputs 30 and outputs 32 would be right",
                       weir::ContractViolation);
  weir::CountedLayer const none = {weir::LayerKind::convolution, 30, 32, 9, 1, 0};
  CHECK_THROWS_AS(weir::count_weights(none, weir::MaskKind::dense), weir::ContractViolation);
}
