// What staging through pinned memory costs: an all-reduce over one rank, in which nothing happens between the
// copies, beside the copy down alone, that hides all else where copies overlap, and beside one copy after the
// other.
#include <cstddef>
#include <string>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/comm/self.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/cuda/staged_communicator.hpp"

namespace {

void all_reduce(bench::Report& report, std::size_t bytes) {
  weir::CudaExecutor const executor;
  weir::Buffer<float, weir::CudaExecutor> const data(executor, bytes / sizeof(float));
  weir::Buffer<std::byte, weir::PinnedMemory> const pinned(weir::PinnedMemory(), bytes);
  bench::fill_random(executor.stream(), data.data(), data.size(), 1);
  weir::StagedCommunicator const communicator{weir::SelfCommunicator()};
  communicator.reserve(executor, bytes);
  std::vector<bench::Contender> const contenders{
      {"copy down", [&](std::size_t) { copy_to_host(executor, data.data(), pinned.data(), bytes); }},
      {"weir staged all_reduce", [&](std::size_t) { communicator.all_reduce(executor, data.view()); }},
      {"copy down, then up", [&](std::size_t) {
         copy_to_host(executor, data.data(), pinned.data(), bytes);
         copy_from_host(executor, pinned.data(), data.data(), bytes);
       }}};
  auto const timings = bench::time_in_turns(executor.stream(), contenders);
  std::string const name = "staged all-reduce, 1 rank, " + std::to_string(bytes / 1'000'000) + " MB";
  for (std::size_t index : {1u, 2u}) {
    report.add({.measured = name,
                .what = contenders[index].what,
                .timing = timings[index],
                .bytes = static_cast<double>(2 * bytes),
                .roof = contenders[0].what,
                .roof_value = timings[0].median,
                .ratio = timings[0].median / timings[index].median});
  }
}

void all_reduces(bench::Report& report) {
  for (std::size_t const bytes : {std::size_t{25'000'000}, std::size_t{256'000'000}})
    all_reduce(report, bytes);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"staged all-reduce", all_reduces}});
}
