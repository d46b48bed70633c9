#pragma once

#include <cstddef>
#include <initializer_list>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

/// What products with a mask are tuned by.
struct ProductTuning {
  std::size_t wanted_blocks;  // of a launch: twice the multiprocessors
  std::size_t few_samples;    // up to which values are streamed for some samples at a time
  int stages;                 // of the pipeline that feeds the tensor cores; 0: they cannot be fed so
  std::size_t wide_samples;   // from how many samples on warpgroups multiply tiles of 64 and 128; 0: never
};

/// `capability` is 90 for sm_90, and `code` the newest at most like it that the kernels were compiled for.
///
/// Stages: a tile of 128 needs 32 KB for each, and two blocks share a multiprocessor, which has 227 KB on an
/// H100 and 163 KB on an A100, so that code for sm_80 has no three of them, which a launch finds out. From
/// sm_120 on it has 100 KB again, and a block at most 99 KB. Code for what is older than sm_80 has nothing
/// that feeds tensor cores, also where a newer device translates it.
///
/// Only 9.0 has products by warpgroups (wgmma), in code for sm_90a, which a launch finds out. Their blocks
/// take 256 samples: for half as many those of 128 have less to do.
WEIR_HOST_DEVICE constexpr ProductTuning product_tuning_for(int capability, int code) {
  if (code < 80) return {capability >= 80 ? 216u : 160u, 8, 0, 0};
  if (capability >= 120) return {264, 8, 2, 0};
  if (capability >= 90) return {264, 8, 3, capability == 90 && code >= 90 ? 129u : 0u};
  return {216, 8, 2, 0};
}

/// Whether warpgroups multiply tiles of side `block`.
constexpr bool is_for_warpgroups(std::size_t block, std::size_t samples, ProductTuning const& tuning) {
  return (block == 64 || block == 128) && tuning.wide_samples != 0 && samples >= tuning.wide_samples;
}
/// Whether a block is to have one of them: if by two, half of the multiprocessors would have no block.
constexpr bool is_for_one_warpgroup(std::size_t blocks_by_two, ProductTuning const& tuning) {
  return 4 * blocks_by_two < tuning.wanted_blocks;
}

/// The newest architecture, at most `capability`, of those that this is compiled for. nvcc of CUDA 13 without
/// an option has only sm_75, which newer devices translate anew.
constexpr int newest_code_for([[maybe_unused]] int capability) {
#if defined(__CUDA_ARCH_LIST__)
  int newest = 0;
  for (int const compiled : {__CUDA_ARCH_LIST__}) {
    if (compiled / 10 <= capability && compiled / 10 > newest) newest = compiled / 10;
  }
  return newest;
#else
  return capability;
#endif
}

/// Columns whose samples a block keeps in shared memory, for as many samples as a thread sums up: 64 bytes
/// each, and 16 more so that 8 columns in a row lie in different banks.
inline constexpr unsigned staged_columns = 512;
inline constexpr unsigned staged_bytes_of_column = 80;
template <class Real>
inline constexpr int samples_of_thread = 64 / static_cast<int>(sizeof(Real));

/// How the threads of a block share outputs and samples: `lanes` threads have one output each, and there are
/// `teams` of them, each with samples of its own. Both are powers of two.
struct LaneShape {
  unsigned lanes;
  unsigned teams;
  constexpr unsigned threads() const { return lanes * teams; }
  constexpr unsigned columns() const { return staged_columns / teams; }
};

/// The largest block, of at most `most_threads`, of which there are `wanted` for so many outputs, and for
/// samples that are taken `samples_of_team` at a time. Never more teams than there are samples for, nor lanes
/// than outputs, but whole warps.
constexpr LaneShape lane_shape(std::size_t outputs, std::size_t samples, std::size_t samples_of_team,
                               unsigned most_threads, std::size_t wanted) {
  unsigned lanes = 32;
  while (lanes < most_threads && lanes < outputs) lanes *= 2;
  auto const blocks = [&](LaneShape shape) {
    std::size_t const of_block = samples_of_team * shape.teams;
    return (outputs + shape.lanes - 1) / shape.lanes * ((samples + of_block - 1) / of_block);
  };
  while (lanes > 64 && blocks({lanes, 1}) < wanted) lanes /= 2;
  unsigned teams = 1;
  while (lanes * teams < most_threads && samples > samples_of_team * teams &&
         (lanes * teams < 64 || blocks({lanes, 2 * teams}) >= wanted)) {
    teams *= 2;
  }
  return {lanes, teams};
}

/// The shape of a block that has a gradient of some chunks of columns, and no use for more than `most_teams`:
/// teams share the samples, so there are more of them where there are few blocks.
constexpr LaneShape gradient_shape(std::size_t outputs, std::size_t chunks, unsigned most_teams,
                                   unsigned most_threads, std::size_t wanted) {
  unsigned lanes = 32;
  while (lanes < most_threads && lanes < outputs) lanes *= 2;
  auto const blocks = [&] { return (outputs + lanes - 1) / lanes * chunks; };
  while (lanes > 64 && blocks() < wanted) lanes /= 2;
  unsigned teams = 1;
  while (teams < most_teams && lanes * teams < most_threads && (lanes * teams < 64 || blocks() < wanted)) {
    teams *= 2;
  }
  return {lanes, teams};
}

/// The shape of a block that goes over lines of so many elements.
constexpr LaneShape line_shape(std::size_t width, unsigned threads) {
  unsigned lanes = 1;
  while (lanes < threads && lanes < width) lanes *= 2;
  return {lanes, threads / lanes};
}

}  // namespace detail
}  // namespace weir::inline v1
