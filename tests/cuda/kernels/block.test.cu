#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/played_block.cuh"
#include "support/cuda/on_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/block.cuh"

// That a played block does what a real one does: the same body on both.

namespace {

/// One warp loads four matrices both ways, multiplies them, copies and exchanges; all that it gets.
struct Everything {
  std::uint16_t const* in;  // 512
  float* out;               // 32 x 24
  unsigned short_bytes;

  std::size_t blocks() const { return 1; }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    auto* const shared = reinterpret_cast<std::uint16_t*>(memory);
    unsigned const lane = block.thread();
    for (unsigned i = 0; i < 2; ++i) {
      unsigned const at = (lane + 32 * i) * 8;
      block.copy_async(shared + at, in + at, lane == 5 ? short_bytes : 16);
      block.close();
    }
    block.template await_all_but<0>();
    block.sync();
    std::uint32_t left[4], right[4];
    block.template load_matrices<false>(shared + lane * 8, left);
    block.template load_matrices<true>(shared + 256 + lane * 8, right);
    float sum[4] = {1, 2, 3, 4}, narrow[4] = {};
    std::uint32_t const first[2] = {right[0], right[1]};
    block.multiply(left, first, sum, static_cast<weir::half const*>(nullptr));
    block.multiply(left, first, narrow, static_cast<weir::bfloat16 const*>(nullptr));
    float* const to = out + lane * 24;
    for (int i = 0; i < 4; ++i) {
      to[i] = sum[i];
      to[4 + i] = narrow[i];
      to[8 + i] = static_cast<float>(left[i] & 0xffff) + static_cast<float>(left[i] >> 16) / 65536.0f;
      to[12 + i] = static_cast<float>(right[i] & 0xffff) + static_cast<float>(right[i] >> 16) / 65536.0f;
    }
    to[16] = block.exchange(static_cast<float>(lane), 5);
    to[17] = block.any(lane == 31) ? 1.0f : 0.0f;
    to[18] = block.any(lane == 32) ? 1.0f : 0.0f;
    for (int i = 19; i < 24; ++i) to[i] = 0;
  }
};

__global__ void everything(Everything const body) {
  __shared__ alignas(16) unsigned char shared[1024];
  body.run(weir::detail::DeviceBlock(), shared);
}

}  // namespace

TEST_CASE("a block on the device does what the played one does") {
  std::vector<std::uint16_t> in(512);
  // As half and as bfloat16 small multiples of powers of two, so that sums are exact in any order.
  for (std::size_t i = 0; i < in.size(); ++i)
    in[i] = static_cast<std::uint16_t>(0x3c00 + (i * 7 % 4) * 0x100 + (i * 5 % 3) * 0x8000);
  std::vector<float> expected(32 * 24);
  std::vector<uint4> aligned(64);
  for (std::size_t i = 0; i < in.size(); ++i) reinterpret_cast<std::uint16_t*>(aligned.data())[i] = in[i];
  for (unsigned bytes : {16u, 6u, 0u}) {
    CAPTURE(bytes);
    play::blocks(Everything{reinterpret_cast<std::uint16_t const*>(aligned.data()), expected.data(), bytes},
                 32, 1024);
    weir::CudaExecutor const device;
    OnDevice const in_there(device, in);
    OnDevice const out_there(device, std::vector<float>(32 * 24));
    everything<<<1, 32, 0, device.stream()>>>(
        Everything{in_there.view().data(), out_there.view().data(), bytes});
    weir::check_cuda(cudaGetLastError(), "everything");
    CHECK(out_there.content() == expected);
  }
}
