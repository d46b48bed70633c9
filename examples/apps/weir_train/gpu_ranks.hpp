#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <future>
#include <span>
#include <vector>

#include "configuration.hpp"
#include "count_gpus.hpp"
#include "counting_device_memory.hpp"
#include "rank_threads.hpp"
#include "report.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/staged_communicator.hpp"

#if WEIR_TRAIN_WITH_MPI
#include "weir/mpi/communicator.hpp"
#endif
#if WEIR_TRAIN_WITH_NCCL
#include "weir/nccl/make_nccl_comm.hpp"
#endif

namespace weir_train {

/// The ranks in this process, each on a GPU of its own. `train_rank(communicator, memory)` trains one.
template <class TrainRank>
class GpuRanks {
 public:
  GpuRanks(Configuration const& configuration, TrainRank const& train_rank)
      : c_(configuration), train_rank_(train_rank) {}

  Outcome train() const {
    if (c_.comm == CommKind::threads) return train_staged_threads();
#if WEIR_TRAIN_WITH_NCCL
    if (c_.comm == CommKind::nccl && !c_.is_process_each) return train_nccl_threads();
#endif
    // A launcher may show each process a GPU of its own only, which is the first then.
    use_gpu(c_.local_rank % count_gpus());
#if WEIR_TRAIN_WITH_NCCL && WEIR_TRAIN_WITH_MPI
    if (c_.comm == CommKind::nccl) return train_nccl_process();
#endif
    CountingDeviceMemory memory;
#if WEIR_TRAIN_WITH_MPI
    if (c_.comm == CommKind::mpi)
      return train_rank_(weir::StagedCommunicator(weir::MpiCommunicator(MPI_COMM_WORLD)), memory);
#endif
    return train_rank_(weir::SelfCommunicator(), memory);
  }

 private:
  static void use_gpu(std::size_t gpu) {
    weir::check_cuda(cudaSetDevice(static_cast<int>(gpu)), "cudaSetDevice");
  }

  /// A thread for each rank; `connect(rank)` makes its communicator.
  template <class Connect>
  Outcome train_threads(Connect const& connect) const {
    std::size_t const gpus = count_gpus();
    return train_on_threads(c_.ranks, [&](std::size_t rank) {
      use_gpu(rank % gpus);
      CountingDeviceMemory memory;
      auto const communicator = connect(rank);
      return train_or_abort(communicator, [&] { return train_rank_(communicator, memory); });
    });
  }

  Outcome train_staged_threads() const {
    auto const communicators = weir::ThreadCommunicator::group(c_.ranks);
    return train_threads([&](std::size_t rank) { return weir::StagedCommunicator(communicators[rank]); });
  }

#if WEIR_TRAIN_WITH_NCCL
  /// Brings NCCL's identifier from rank 0 to the other threads.
  class ThreadByteExchange {
   public:
    void operator()(std::size_t rank, std::span<std::byte> bytes) {
      if (rank == 0) {
        sent_.set_value({bytes.begin(), bytes.end()});
      } else {
        auto const message = std::shared_future(received_).get();
        std::copy(message.begin(), message.end(), bytes.begin());
      }
    }

    /// Rank 0 will not send, if it has not.
    void fail(std::exception_ptr const& failure) {
      try {
        sent_.set_exception(failure);
      } catch (std::future_error const&) {
      }
    }

   private:
    std::promise<std::vector<std::byte>> sent_;
    std::shared_future<std::vector<std::byte>> const received_ = sent_.get_future().share();
  };

  Outcome train_nccl_threads() const {
    ThreadByteExchange exchange;
    return train_threads([&](std::size_t rank) {
      try {
        return weir::make_nccl_comm(rank, c_.ranks, exchange);
      } catch (...) {
        if (rank == 0) exchange.fail(std::current_exception());
        throw;
      }
    });
  }

#if WEIR_TRAIN_WITH_MPI
  Outcome train_nccl_process() const {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto const broadcast = [](std::size_t, std::span<std::byte> bytes) {
      MPI_Bcast(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, 0, MPI_COMM_WORLD);
    };
    CountingDeviceMemory memory;
    auto const communicator = weir::make_nccl_comm(static_cast<std::size_t>(rank), c_.ranks, broadcast);
    return train_rank_(communicator, memory);
  }
#endif
#endif

  Configuration const& c_;
  TrainRank const& train_rank_;
};

}  // namespace weir_train
