// The all-reduce of NcclCommunicator beside ncclAllReduce itself, with as many ranks as this machine has
// GPUs, each a thread. One rank is a valid case: it shows what a call costs.
#include <nccl.h>

#include <barrier>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/nccl/communicator.hpp"

namespace {

void check(ncclResult_t result) {
  if (result != ncclSuccess && result != ncclInProgress) throw std::runtime_error(ncclGetErrorString(result));
}

/// A non-blocking communicator on the current device.
ncclComm_t make(ncclUniqueId id, int rank, int size) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t communicator = nullptr;
  check(ncclCommInitRankConfig(&communicator, size, id, rank, &config));
  for (ncclResult_t state = ncclInProgress; state == ncclInProgress;) {
    check(ncclCommGetAsyncError(communicator, &state));
    check(state);
  }
  return communicator;
}

constexpr std::size_t calls_of_sample = 10;
constexpr std::size_t samples = 21;

/// One rank: what it measures is of rank 0.
void run_rank(bench::Report& report, ncclUniqueId id, int rank, int size, std::size_t bytes,
              std::barrier<>& barrier) {
  weir::check_cuda(cudaSetDevice(rank), "cudaSetDevice");
  weir::CudaExecutor const executor;
  ncclComm_t const raw = make(id, rank, size);
  auto const communicator = weir::NcclCommunicator::own(raw);
  std::size_t const elements = bytes / sizeof(float);
  std::size_t const sets = bench::rotation(bytes);
  weir::Buffer<float, weir::CudaExecutor> const memory(executor, sets * elements);
  bench::fill_random(executor.stream(), memory.data(), memory.size(), static_cast<unsigned>(rank));
  auto const view = [&](std::size_t turn) {
    return weir::DeviceView<float>(memory.data() + turn % sets * elements, elements);
  };
  std::vector<bench::Contender> const contenders{
      {"ncclAllReduce",
       [&](std::size_t turn) {
         auto const data = view(turn);
         check(ncclAllReduce(data.data(), data.data(), data.size(), ncclFloat, ncclSum, raw,
                             executor.stream()));
       }},
      {"weir all_reduce", [&](std::size_t turn) { communicator.all_reduce(executor, view(turn)); }}};
  bench::Mark begin;
  bench::Mark end;
  std::vector<std::vector<double>> times(contenders.size());
  std::size_t turn = 0;
  for (std::size_t sample = 0; sample < samples + 2; ++sample) {
    for (std::size_t index = 0; index < contenders.size(); ++index) {
      barrier.arrive_and_wait();
      begin.record(executor.stream());
      for (std::size_t call = 0; call < calls_of_sample; ++call) contenders[index].enqueue(turn++);
      end.record(executor.stream());
      double const time = end.microseconds_since(begin) / static_cast<double>(calls_of_sample);
      if (sample >= 2) times[index].push_back(time);
    }
  }
  if (rank != 0) return;
  auto const floor = bench::summarise(times[0]);
  auto const ours = bench::summarise(times[1]);
  report.add({.measured = "all-reduce float " + std::to_string(bytes / 1'000'000) + " MB, " +
                          std::to_string(size) + " GPUs",
              .what = "weir",
              .timing = ours,
              .bytes = static_cast<double>(bytes),
              .roof = "ncclAllReduce",
              .roof_value = floor.median,
              .ratio = floor.median / ours.median});
}

void all_reduces(bench::Report& report) {
  int size = 0;
  weir::check_cuda(cudaGetDeviceCount(&size), "cudaGetDeviceCount");
  for (std::size_t const bytes :
       {std::size_t{1'000'000}, std::size_t{25'000'000}, std::size_t{256'000'000}}) {
    ncclUniqueId id;
    check(ncclGetUniqueId(&id));
    std::barrier barrier(size);
    std::mutex mutex;
    std::exception_ptr failure;
    std::vector<std::thread> ranks;
    for (int rank = 0; rank < size; ++rank) {
      ranks.emplace_back([&, rank] {
        try {
          run_rank(report, id, rank, size, bytes, barrier);
        } catch (...) {
          std::lock_guard const lock(mutex);
          failure = std::current_exception();
          barrier.arrive_and_drop();
        }
      });
    }
    for (auto& rank : ranks) rank.join();
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"all-reduce", all_reduces}});
}
