#include "weir/mask/counted_networks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"

namespace {

using weir::count_flops;
using weir::count_parameters;
using weir::MaskKind;

}  // namespace

TEST_CASE("mlp_layers: the table of multi-layer perceptrons") {
  struct {
    std::vector<std::size_t> widths;
    std::uint64_t dense, legacy, balanced;
  } const known[] = {{{784, 16, 20, 10}, 13064, 728, 1064},    {{784, 25, 30, 10}, 20650, 1150, 1675},
                     {{784, 36, 42, 10}, 30156, 1680, 2562},   {{784, 49, 56, 10}, 41720, 2324, 3353},
                     {{784, 112, 56, 10}, 94640, 4266, 6832},  {{784, 16, 10}, 12704, 608, 944},
                     {{784, 16, 32, 16, 10}, 13728, 822, 1200}};
  for (auto const& network : known) {
    CAPTURE(network.widths[1]);
    auto const layers = weir::mlp_layers(network.widths);
    CHECK(count_parameters(layers, MaskKind::dense) == network.dense);
    CHECK(count_parameters(layers, MaskKind::legacy) == network.legacy);
    CHECK(count_parameters(layers, MaskKind::balanced) == network.balanced);
  }
  auto const layers = weir::mlp_layers(std::vector<std::size_t>{784, 16, 20, 10});
  CHECK(weir::count_weights(layers[0], MaskKind::legacy) == 448);
  CHECK(weir::count_weights(layers[1], MaskKind::legacy) == 80);
  CHECK(weir::count_weights(layers[2], MaskKind::legacy) == 200);
}

TEST_CASE("resnet_layers: the table of ResNets") {
  struct {
    std::size_t depth, groups;
    std::uint64_t dense_flops, dense, balanced_flops, balanced;
  } const known[] = {{18, 1, 556651520, 11173962, 62379008, 934986},
                     {18, 4, 146134016, 2934858, 35836928, 561738},
                     {34, 1, 1161450496, 21282122, 115102720, 1615178},
                     {50, 1, 1304694784, 23520842, 219156480, 4077130}};
  for (auto const& network : known) {
    CAPTURE(network.depth);
    auto const layers = weir::resnet_layers(network.depth, network.groups);
    CHECK(count_flops(layers, MaskKind::dense) == network.dense_flops);
    CHECK(count_parameters(layers, MaskKind::dense) == network.dense);
    CHECK(count_flops(layers, MaskKind::balanced) == network.balanced_flops);
    CHECK(count_parameters(layers, MaskKind::balanced) == network.balanced);
  }
}

TEST_CASE("resnet_layers: with the prototype's masks, and by the older convention") {
  CHECK(count_flops(weir::resnet_layers(18), MaskKind::legacy) == 54711296);
  CHECK(count_parameters(weir::resnet_layers(18), MaskKind::legacy) == 769656);
  CHECK(count_flops(weir::resnet_layers(34), MaskKind::legacy) == 99695872);
  CHECK(count_parameters(weir::resnet_layers(34), MaskKind::legacy) == 1335512);
  CHECK(count_flops(weir::resnet_layers(50), MaskKind::legacy) == 205031584);
  CHECK(count_parameters(weir::resnet_layers(50), MaskKind::legacy) == 3820994);
  CHECK(count_flops(weir::resnet_layers(18), MaskKind::dense, weir::SeparateAdditions{}) == 557885430);
}

TEST_CASE("resnet_layers: other depths and groups are refused") {
  CHECK_THROWS_WITH_AS(weir::resnet_layers(19), "depth 19: 18, 34, 50, 101 or 152 would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::resnet_layers(18, 3), "groups 3: a divisor of 64 would be right",
                       weir::ContractViolation);
}
