#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/leaf_kernel.cuh"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

namespace {

/// Elements in the order in which they were merged, so that any other order shows.
struct Order {
  std::uint64_t hash;

  WEIR_HOST_DEVICE void merge(Order const& right) {
    if (right.hash == 0) return;
    hash = hash == 0 ? right.hash : (hash * 0x9e37'79b9'7f4a'7c15u) ^ (right.hash + 0x1234'5678'9abc'def1u);
  }
};

template <unsigned Blocks>
struct OrderLane {
  using Node = Order;
  static constexpr unsigned most_blocks = Blocks;
  static constexpr int blocks_together = 8;
  Order order{0};

  WEIR_HOST_DEVICE void add(std::uint64_t value) { order.merge({value}); }
  WEIR_HOST_DEVICE Order node() const { return order; }
};

struct Indices {
  static constexpr int loads = 1;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    weir::detail::unroll<Rows>([&](int row) {
      std::uint64_t values[Width];
      weir::detail::unroll<Width>([&](int i) { values[i] = first + row * stride + i + 1; });
      sink(row, values);
    });
  }
};

struct Store {
  std::uint64_t* out;
  WEIR_HOST_DEVICE void operator()(Order const& root) const { *out = root.hash; }
};

template <int Width, unsigned Blocks>
void check_order(weir::CudaExecutor const& executor) {
  CAPTURE(Width);
  CAPTURE(Blocks);
  weir::Buffer<std::uint64_t, weir::CudaExecutor> const out(executor, 1);
  for (std::size_t size : {0u, 1u, 65u, 4096u, 4097u, 40'000u, 301'234u, 9'000'001u}) {
    CAPTURE(size);
    auto const expected = play::leaves<Width, OrderLane<Blocks>>(Indices{}, size, Blocks).hash;
    for (int repeat = 0; repeat < 5; ++repeat) {
      weir::detail::launch_leaves<Width, OrderLane<Blocks>>(executor, Indices{}, size, Store{out.data()},
                                                            "test");
      CHECK(weir::to_host(executor, out.view())[0] == expected);
    }
  }
}

}  // namespace

TEST_CASE("blocks, warps and threads fold the tree in its order, and leave the counter for the next time") {
  weir::CudaExecutor const executor;
  check_order<1, 1024>(executor);
  check_order<2, 1024>(executor);
  check_order<4, 1024>(executor);
  check_order<8, 1024>(executor);
  check_order<4, 64>(executor);
  check_order<8, 128>(executor);
}
