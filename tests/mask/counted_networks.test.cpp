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

TEST_CASE("mlp_layers: the table of multi-layer perceptrons, layer by layer") {
  using Counts = std::vector<std::uint64_t>;
  struct {
    std::vector<std::size_t> widths;
    Counts dense, legacy, balanced;
  } const known[] = {
      {{784, 16, 10}, {12544, 160}, {448, 160}, {784, 160}},
      {{784, 16, 16, 10}, {12544, 256, 160}, {448, 64, 160}, {784, 64, 160}},
      {{784, 16, 32, 16, 10}, {12544, 512, 512, 160}, {448, 128, 86, 160}, {784, 128, 128, 160}},
      {{784, 16, 32, 32, 16, 10},
       {12544, 512, 1024, 512, 160},
       {448, 128, 170, 86, 160},
       {784, 128, 256, 128, 160}},
      {{784, 16, 32, 32, 32, 32, 16, 10},
       {12544, 512, 1024, 1024, 1024, 512, 160},
       {448, 128, 170, 170, 170, 86, 160},
       {784, 128, 256, 256, 256, 128, 160}},
      {{784, 16, 20, 10}, {12544, 320, 200}, {448, 80, 200}, {784, 80, 200}},
      {{784, 25, 30, 10}, {19600, 750, 300}, {700, 150, 300}, {1225, 150, 300}},
      {{784, 36, 42, 10}, {28224, 1512, 420}, {1008, 252, 420}, {1764, 378, 420}},
      {{784, 49, 56, 10}, {38416, 2744, 560}, {1372, 392, 560}, {2401, 392, 560}},
      {{784, 112, 56, 10}, {87808, 6272, 560}, {3136, 570, 560}, {5488, 784, 560}},
      {{3072, 112, 56, 10}, {344064, 6272, 560}, {6144, 570, 560}, {10752, 784, 560}}};
  for (auto const& network : known) {
    CAPTURE(network.widths.size());
    CAPTURE(network.widths[1]);
    auto const layers = weir::mlp_layers(network.widths);
    auto const check = [&](MaskKind kind, Counts const& wanted) {
      Counts counts;
      std::uint64_t sum = 0;
      for (auto const& layer : layers) counts.push_back(weir::count_weights(layer, kind));
      for (std::uint64_t const count : wanted) sum += count;
      CHECK(counts == wanted);
      CHECK(count_parameters(layers, kind) == sum);
    };
    check(MaskKind::dense, network.dense);
    check(MaskKind::legacy, network.legacy);
    check(MaskKind::balanced, network.balanced);
  }
}

TEST_CASE("resnet_layers: the table of ResNets") {
  struct {
    std::size_t depth, groups;
    std::uint64_t dense_flops, dense, balanced_flops, balanced;
  } const known[] = {
      {18, 1, 556651520, 11173962, 62379008, 934986},     {18, 2, 282973184, 5681226, 50582528, 667722},
      {18, 4, 146134016, 2934858, 35836928, 561738},      {18, 8, 77714432, 1561674, 29938688, 428106},
      {34, 1, 1161450496, 21282122, 115102720, 1615178},  {34, 2, 585782272, 10739018, 91509760, 1163594},
      {34, 4, 297948160, 5467466, 62608384, 905546},      {34, 8, 154031104, 2831690, 50811904, 679754},
      {50, 1, 1304694784, 23520842, 219156480, 4077130},  {50, 2, 715395072, 13182538, 197267456, 3661386},
      {50, 4, 420745216, 8013386, 172625920, 3460682},    {50, 8, 273420288, 5428810, 161681408, 3252810},
      {101, 1, 2520190976, 42512970, 289345536, 5173834}, {101, 2, 1324814336, 22704714, 267456512, 4758090},
      {101, 4, 727126016, 12800586, 209391616, 4035146},  {101, 8, 428281856, 7848522, 198447104, 3827274},
      {152, 1, 3736473600, 58156618, 376049664, 6141514}, {152, 2, 1935020032, 30549578, 338432000, 5664330},
      {152, 4, 1034293248, 16746058, 254808064, 4542026}, {152, 8, 583929856, 9844298, 235999232, 4303434}};
  for (auto const& network : known) {
    CAPTURE(network.depth);
    CAPTURE(network.groups);
    auto const layers = weir::resnet_layers(network.depth, network.groups);
    CHECK(count_flops(layers, MaskKind::dense) == network.dense_flops);
    CHECK(count_parameters(layers, MaskKind::dense) == network.dense);
    CHECK(count_flops(layers, MaskKind::balanced) == network.balanced_flops);
    CHECK(count_parameters(layers, MaskKind::balanced) == network.balanced);
  }
}

TEST_CASE("resnet_layers: with the prototype's masks, and by the older convention") {
  struct {
    std::size_t depth;
    std::uint64_t flops, parameters;
  } const known[] = {{18, 54711296, 769656},
                     {34, 99695872, 1335512},
                     {50, 205031584, 3820994},
                     {101, 275220640, 4917698},
                     {152, 351549600, 5844850}};
  for (auto const& network : known) {
    CAPTURE(network.depth);
    CHECK(count_flops(weir::resnet_layers(network.depth), MaskKind::legacy) == network.flops);
    CHECK(count_parameters(weir::resnet_layers(network.depth), MaskKind::legacy) == network.parameters);
  }
  CHECK(count_flops(weir::resnet_layers(18), MaskKind::dense, weir::SeparateAdditions{}) == 557885430);
}

TEST_CASE("resnet_layers: shortcuts that are masked, too, which are not in groups") {
  struct {
    std::size_t depth, groups;
    std::uint64_t flops, parameters;
  } const known[] = {{18, 1, 56742912, 776266},
                     {50, 1, 109056000, 1416778},
                     {50, 4, 172625920 - 117440512 + 7340032, 3460682 - 2768896 + 108544}};
  for (auto const& network : known) {
    CAPTURE(network.depth);
    CAPTURE(network.groups);
    auto const layers = weir::resnet_layers(network.depth, network.groups, weir::Shortcuts::masked);
    CHECK(count_flops(layers, MaskKind::balanced) == network.flops);
    CHECK(count_parameters(layers, MaskKind::balanced) == network.parameters);
    auto const usual = weir::resnet_layers(network.depth, network.groups);
    CHECK(count_flops(layers, MaskKind::dense) == count_flops(usual, MaskKind::dense));
    CHECK(count_parameters(layers, MaskKind::dense) == count_parameters(usual, MaskKind::dense));
  }
}

TEST_CASE("resnet_layers: what batch norm takes, whatever the groups") {
  struct {
    std::size_t depth;
    std::uint64_t flops;
  } const known[] = {{18, 1228800}, {34, 2048000}, {50, 6864896}};
  for (auto const& network : known) {
    for (std::size_t const groups : {1u, 2u, 4u, 8u}) {
      CAPTURE(network.depth);
      CAPTURE(groups);
      std::vector<weir::CountedLayer> norms;
      for (auto const& layer : weir::resnet_layers(network.depth, groups)) {
        if (layer.kind == weir::LayerKind::batch_norm) norms.push_back(layer);
      }
      CHECK(count_flops(norms, MaskKind::balanced) == network.flops);
    }
  }
}

TEST_CASE("resnet_layers: other depths and groups are refused") {
  CHECK_THROWS_WITH_AS(weir::resnet_layers(19), "depth 19: 18, 34, 50, 101 or 152 would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::resnet_layers(18, 3), "groups 3: a divisor of 64 would be right",
                       weir::ContractViolation);
}
