#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/cuda/device_bucket.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/cuda/kernels/sparsify_kernels.cuh"
#include "weir/cuda/sparsify.cuh"
#include "weir/cuda/vocabulary.hpp"

namespace {

/// Every block adds to a word of each other, round after round; the first block holds what it should be.
__global__ void meeting_kernel(weir::detail::SparsifyHeader<float>* header, unsigned* words, unsigned rounds,
                               unsigned* wrong) {
  weir::detail::SearchMeeting<float> meet(*header);
  for (unsigned round = 0; round < rounds; ++round) {
    if (threadIdx.x == 32) words[blockIdx.x] += 1;
    meet([&] {
      for (unsigned block = threadIdx.x; block < gridDim.x; block += blockDim.x) {
        if (words[block] != 2 * round + 1) atomicAdd(wrong, 1u);
        words[block] += 1;
      }
    });
    if (threadIdx.x == 64 && words[blockIdx.x] != 2 * round + 2) atomicAdd(wrong, 1u);
    __syncthreads();  // before another thread of this block adds to it
  }
}

template <class Policy>
void check_grids(bool has_feedback) {
  weir::CudaExecutor const executor;
  std::size_t const size = 400'003;
  auto const gradient = weir_test::Draws(91).laplace(size);
  unsigned const all = weir::detail::multiprocessors_of(executor.device());
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  for (unsigned const multiprocessors : {all, 1u, 3u, all / 2 + 1}) {
    CAPTURE(multiprocessors);
    DeviceBucket<float> bucket(executor, size, {.density = 0.01, .feedback = has_feedback});
    bucket.set_gradient(gradient);
    weir::detail::SparsifyLaunch<float, float, std::uint32_t> const launch(
        bucket.describe(), weir::detail::first_pass_need<Policy>);
    constexpr bool has_moments =
        weir::detail::first_pass_need<Policy> == weir::detail::FirstPassNeed::moments;
    weir::detail::launch_first_pass<has_moments>(executor, launch.device(), launch.terms(),
                                                 launch.is_aligned(), multiprocessors);
    weir::detail::launch_search(executor, launch.device(), Policy{}, multiprocessors);
    if (indices.empty()) {
      indices = bucket.indices();
      values = bucket.values();
      CHECK(!indices.empty());
    }
    CHECK(bucket.indices() == indices);
    CHECK(oracle::same(bucket.values(), values));
  }
}

}  // namespace

TEST_CASE("blocks that meet see what the others have written before") {
  weir::CudaExecutor const executor;
  weir::Buffer<weir::detail::SparsifyHeader<float>, weir::CudaExecutor> const header(executor, 1);
  unsigned const most = weir::detail::multiprocessors_of(executor.device());
  weir::Buffer<unsigned, weir::CudaExecutor> const words(executor, most), wrong(executor, 1);
  for (unsigned const blocks : {1u, 2u, most}) {
    CAPTURE(blocks);
    for (void* const memory : {static_cast<void*>(words.data()), static_cast<void*>(wrong.data())}) {
      std::size_t const bytes = memory == wrong.data() ? sizeof(unsigned) : most * sizeof(unsigned);
      weir::check_cuda(cudaMemsetAsync(memory, 0, bytes, executor.stream()), "cudaMemsetAsync");
    }
    weir::check_cuda(cudaMemsetAsync(header.data(), 0, sizeof(*header.data()), executor.stream()),
                     "cudaMemsetAsync");
    cudaLaunchAttribute together = {};
    together.id = cudaLaunchAttributeCooperative;
    together.val.cooperative = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(blocks);
    config.blockDim = dim3(weir::detail::search_threads);
    config.stream = executor.stream();
    config.attrs = &together;
    config.numAttrs = 1;
    weir::check_cuda(
        cudaLaunchKernelEx(&config, meeting_kernel, header.data(), words.data(), 200u, wrong.data()),
        "launch");
    CHECK(weir::to_host(executor, wrong.view())[0] == 0);
  }
}

TEST_CASE("no result depends on how many blocks there are") {
  check_grids<weir::Histogram>(true);
  check_grids<weir::Histogram>(false);
  check_grids<weir::Exponential>(true);
}
