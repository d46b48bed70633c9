#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/tree_pass.cuh"

namespace {

using weir::detail::SparsifyLayout;
using weir::detail::TailNode;

template <int Width, class Lane, class Operation>
TailNode run(Operation const& operation, SparsifyLayout const& layout, unsigned blocks) {
  play::Block const block;
  std::vector<TailNode> nodes(layout.subtrees + 1);
  auto const folds = std::make_unique<weir::detail::WarpFolds>();
  for (unsigned index = blocks; index-- > 0;) {
    weir::detail::run_subtrees<Width, Lane>(block, operation, layout, *folds, nodes.data(), index, blocks);
  }
  weir::detail::fold_nodes(block, nodes.data(), layout.subtrees);
  return nodes[0];
}

/// A lane of the other kernel that sums up leaves.
struct OtherLane : weir::detail::DeviceTailLane<float> {
  static constexpr unsigned most_blocks = 1024;
};

}  // namespace

TEST_CASE("statistics and those of excesses have the bits of the tree, with any number of blocks") {
  for (std::size_t const size : {1u, 4096u, 4097u, 70'001u, 900'001u}) {
    CAPTURE(size);
    auto values = oracle::Numbers(5).vector<float>(size);
    for (std::size_t i = 0; i < size; i += 97) values[i] = i % 2 == 0 ? 0.0f : 1.0f / 0.0f;
    weir::detail::DeviceRead<float> const read{values.data()};
    TailNode const expected = play::leaves<1, OtherLane>(read, size, 1024);
    SparsifyLayout layout = SparsifyLayout::of(size);
    for (std::size_t const subtree : {std::size_t{2}, std::size_t{8}}) {
      layout.subtree = subtree;
      layout.subtrees = (weir::detail::leaves_of(size) + subtree - 1) / subtree;
      for (unsigned const blocks : {1u, 5u}) {
        auto const narrow = run<1, weir::detail::DeviceTailLane<float>>(read, layout, blocks);
        auto const wide = run<2, weir::detail::DeviceTailLane<float>>(read, layout, blocks);
        CHECK(std::memcmp(&narrow, &expected, sizeof expected) == 0);
        CHECK(std::memcmp(&wide, &expected, sizeof expected) == 0);
        auto const over = run<1, weir::detail::DeviceExcessLane<float>>(
            weir::detail::ReadOverBase<float>{values.data(), 0.0, 1.0}, layout, blocks);
        CHECK(over.participants == expected.participants);
        CHECK(over.sum == expected.sum);
        CHECK(over.squared_deviations == expected.squared_deviations);
        auto const above = run<1, weir::detail::DeviceExcessLane<float>>(
            weir::detail::ReadOverBase<float>{values.data(), 0.5, 1.0}, layout, blocks);
        std::size_t count = 0;
        for (float const value : values) count += (value > 0.5f || value < -0.5f) && value < 1e38f;
        CHECK(above.participants == count);
      }
    }
  }
}
