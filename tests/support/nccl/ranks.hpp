#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <vector>

#include "support/cuda/on_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/nccl/make_nccl_comm.hpp"

namespace nccl_ranks {

/// Brings rank 0's bytes to the other threads. A copy names the same exchange.
class ThreadExchange {
 public:
  void operator()(std::size_t rank, std::span<std::byte> bytes) const {
    std::unique_lock lock(state_->mutex);
    if (rank == 0) {
      state_->bytes.assign(bytes.begin(), bytes.end());
      state_->changed.notify_all();
      return;
    }
    bool const has_come =
        state_->changed.wait_for(lock, std::chrono::seconds(20), [&] { return !state_->bytes.empty(); });
    if (!has_come) throw std::runtime_error("rank 0 has not come");
    std::copy(state_->bytes.begin(), state_->bytes.end(), bytes.begin());
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::byte> bytes;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Runs `f(communicator, executor)` on each of `size` ranks, on a device of its own where there are as many.
template <class Function>
std::vector<std::exception_ptr> failures_of_ranks(std::size_t size, weir::CommOptions const& options,
                                                  Function const& f) {
  ThreadExchange const exchange;
  return on_rank_threads(size, [&](std::size_t rank) {
    int devices = 1;
    cudaGetDeviceCount(&devices);
    cudaSetDevice(static_cast<int>(rank) % devices);
    auto const communicator = weir::make_nccl_comm(rank, size, exchange, options);
    f(communicator, weir::CudaExecutor());
  });
}

/// The same, and what the first rank that failed has thrown is thrown.
template <class Function>
void on_ranks(std::size_t size, Function const& f) {
  for (auto const& failure : failures_of_ranks(size, {std::chrono::seconds(20)}, f)) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace nccl_ranks
