#pragma once

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "options.hpp"
#include "process_failure.hpp"

#if WEIR_TRAIN_WITH_MPI
#include <mpi.h>
#endif

namespace weir_train {

/// The processes that run this program together: one, unless it was started by mpirun or is told to use MPI.
class Processes {
 public:
  Processes([[maybe_unused]] int& argc, [[maybe_unused]] char**& argv) {
#if WEIR_TRAIN_WITH_MPI
    if (!wants_mpi(argc, argv)) return;
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    may_call_mpi_anytime_ = provided == MPI_THREAD_MULTIPLE;
    size_.processes = static_cast<std::size_t>(ask(MPI_Comm_size, MPI_COMM_WORLD));
    rank_ = static_cast<std::size_t>(ask(MPI_Comm_rank, MPI_COMM_WORLD));
    MPI_Comm neighbours = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &neighbours);
    on_this_machine_ = static_cast<std::size_t>(ask(MPI_Comm_size, neighbours));
    rank_on_this_machine_ = static_cast<std::size_t>(ask(MPI_Comm_rank, neighbours));
    MPI_Comm_free(&neighbours);
#endif
  }

  Processes(Processes const&) = delete;
  Processes& operator=(Processes const&) = delete;

  ~Processes() {
#if WEIR_TRAIN_WITH_MPI
    if (size_.processes) MPI_Finalize();
#endif
  }

  MpiSize size() const {
    return size_;
  }
  std::size_t rank() const {
    return rank_;
  }
  std::size_t on_this_machine() const {
    return on_this_machine_;
  }
  std::size_t rank_on_this_machine() const {
    return rank_on_this_machine_;
  }

  /// The error of the first process that has one, on all of them; empty if none has.
  std::string first_error(std::string error) const {
#if WEIR_TRAIN_WITH_MPI
    if (!size_.processes) return error;
    int const none = static_cast<int>(*size_.processes);
    int first = error.empty() ? none : static_cast<int>(rank_);
    MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (first == none) return {};
    error.resize(1024);
    MPI_Bcast(error.data(), static_cast<int>(error.size()), MPI_CHAR, first, MPI_COMM_WORLD);
    error.resize(error.find('\0') < error.size() ? error.find('\0') : error.size());
#endif
    return error;
  }

  /// Of processes that fail one says why. Returns what this one is to say, if anything: rank 0 speaks for
  /// all, once it knows of a failure that is not the consequence of another, and others only where it does
  /// not listen. `own` lives until the process ends.
  std::optional<ProcessFailure> failure_to_tell(ProcessFailure const& own) const {
#if WEIR_TRAIN_WITH_MPI
    if (may_call_mpi_anytime_) {
      if (rank_ == 0) return own.is_consequence ? cause_or(own) : own;
      if (is_heard(own)) return std::nullopt;
    }
#endif
    return own;
  }

  /// Ends this process at once, after the first has had time to say why.
  [[noreturn]] void leave(int status) const {
    if (rank_ != 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    std::_Exit(status);
  }

 private:
#if WEIR_TRAIN_WITH_MPI
  /// Which has to be known before the options are read, since their errors are printed once.
  static bool wants_mpi(int argc, char** argv) {
    if (std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr || std::getenv("PMI_SIZE") != nullptr) return true;
    for (int i = 1; i < argc; ++i) {
      std::string_view const argument = argv[i];
      if (argument == "--comm=mpi") return true;
      if (argument == "--comm" && i + 1 < argc && argv[i + 1] == std::string_view("mpi")) return true;
    }
    return false;
  }

  static int ask(int (*question)(MPI_Comm, int*), MPI_Comm communicator) {
    int answer = 0;
    question(communicator, &answer);
    return answer;
  }

  /// What another process has failed by, if one says so in time.
  ProcessFailure cause_or(ProcessFailure const& own) const {
    auto const end = Clock::now() + patience;
    for (std::size_t failed = 1; failed < *size_.processes && Clock::now() < end;) {
      int is_there = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, failure_tag, MPI_COMM_WORLD, &is_there, &status);
      if (is_there == 0) {
        std::this_thread::sleep_for(pause);
        continue;
      }
      ++failed;
      ProcessFailure other;
      MPI_Recv(&other, sizeof other, MPI_BYTE, status.MPI_SOURCE, failure_tag, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
      if (!other.is_consequence) return other;
    }
    return own;
  }

  /// Whether rank 0 has taken it. Who knows the cause gives up first, and ends the others by that.
  bool is_heard(ProcessFailure const& own) const {
    auto const end = Clock::now() + (own.is_consequence ? 2 : 1) * patience;
    int is_taken = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Issend(&own, sizeof own, MPI_BYTE, 0, failure_tag, MPI_COMM_WORLD, &request);
    while (MPI_Test(&request, &is_taken, MPI_STATUS_IGNORE), is_taken == 0 && Clock::now() < end)
      std::this_thread::sleep_for(pause);
    return is_taken != 0;
  }

  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds patience{3};
  static constexpr std::chrono::milliseconds pause{1};
  static constexpr int failure_tag = 1;

  bool may_call_mpi_anytime_ = false;
#endif

  MpiSize size_;
  std::size_t rank_ = 0;
  std::size_t on_this_machine_ = 1;
  std::size_t rank_on_this_machine_ = 0;
};

}  // namespace weir_train
