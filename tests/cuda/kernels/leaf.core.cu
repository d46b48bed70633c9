#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/leaf.cuh"

namespace {

using weir::detail::LeafGrid;
using weir::detail::LeafShare;

/// Elements in the order in which they were merged, so that any other order shows.
struct Order {
  std::uint64_t hash;

  WEIR_HOST_DEVICE void merge(Order const& right) {
    if (right.hash == 0) return;
    hash = hash == 0 ? right.hash : (hash * 0x9e37'79b9'7f4a'7c15u) ^ (right.hash + 0x1234'5678'9abc'def1u);
  }
};

/// Collects elements as text would: in order.
struct OrderLane {
  using Node = Order;
  static constexpr unsigned most_blocks = weir::detail::most_leaf_blocks;
  Order order{0};

  WEIR_HOST_DEVICE void add(std::uint64_t value) { order.merge({value}); }
  WEIR_HOST_DEVICE Order node() const { return order; }
};

struct Indices {
  static constexpr int loads = 1;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    for (int row = 0; row < Rows; ++row) {
      std::uint64_t values[Width];
      for (std::size_t i = 0; i < Width; ++i)
        values[i] = first + static_cast<std::size_t>(row) * stride + i + 1;
      sink(row, values);
    }
  }
};

/// As exec/leaf_tree.hpp describes it.
std::uint64_t described(std::size_t size) {
  std::vector<Order> nodes;
  for (std::size_t leaf = 0; leaf < size; leaf += 4096) {
    Order lane[64] = {};
    for (std::size_t i = leaf; i < size && i < leaf + 4096; ++i) lane[i % 64].merge({i + 1});
    for (std::size_t half = 32; half != 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) lane[i].merge(lane[i + half]);
    }
    nodes.push_back(lane[0]);
  }
  while (nodes.size() > 1) {
    std::vector<Order> above;
    for (std::size_t i = 0; i < nodes.size(); i += 2) {
      above.push_back(nodes[i]);
      if (i + 1 < nodes.size()) above.back().merge(nodes[i + 1]);
    }
    nodes = above;
  }
  return nodes.empty() ? 0 : nodes[0].hash;
}

}  // namespace

TEST_CASE("a warp's threads share the lanes of its leaves") {
  CHECK(LeafShare<8>::threads == 8);
  CHECK(LeafShare<8>::leaves == 4);
  CHECK(LeafShare<4>::leaves == 2);
  CHECK(LeafShare<2>::leaves == 1);
  CHECK(LeafShare<1>::threads == 32);
  CHECK(LeafShare<1>::accesses == 128);
}

TEST_CASE("warps take subtrees, and there are no more blocks than may be") {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{6'250'000}, std::size_t{64'000'000},
                           (std::size_t{1} << 31) + 17}) {
    for (unsigned at_once : {1u, 2u, 4u}) {
      LeafGrid const grid = LeafGrid::of(size, at_once, 1024);
      CHECK(grid.blocks >= 1);
      CHECK(grid.blocks <= 1024);
      CHECK(std::has_single_bit(grid.subtree));
      CHECK(grid.subtree % at_once == 0);
      CHECK(grid.blocks * 2 * grid.subtree * 4096 >= size);
      if (size > 0) CHECK((grid.blocks - 1) * 2 * grid.subtree * 4096 < size);
    }
  }
  CHECK(LeafGrid::of(6'250'000, 2, 1024).blocks == 382);  // as tuning.cuh says
}

TEST_CASE("elements are merged in the order of the tree, however many blocks and threads share them") {
  for (std::size_t size : {0u, 1u, 63u, 64u, 65u, 129u, 4095u, 4096u, 4097u, 8192u, 40'000u, 301'234u}) {
    CAPTURE(size);
    auto const expected = described(size);
    for (unsigned blocks : {1u, 3u, 16u, 1024u}) {
      CAPTURE(blocks);
      CHECK(play::leaves<1, OrderLane>(Indices{}, size, blocks).hash == expected);
      CHECK(play::leaves<2, OrderLane>(Indices{}, size, blocks).hash == expected);
      CHECK(play::leaves<4, OrderLane>(Indices{}, size, blocks).hash == expected);
      CHECK(play::leaves<8, OrderLane>(Indices{}, size, blocks).hash == expected);
    }
  }
}
