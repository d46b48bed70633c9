// A sum over processes, beside `MPI_Allreduce` and beside a plain copy of what it has to read and write,
// which every process does at the same time. Run it under mpirun; the times are those of the slowest process.
//
// The sums are not the same: ours has the same bits on all ranks, whatever the library of MPI chooses, and an
// end to every wait.

#include <benchmark/benchmark.h>
#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "host/copy_roof.hpp"
#include "weir/host/executor.hpp"
#include "weir/mpi/communicator.hpp"

namespace {

/// Of all processes, which begin together.
double slowest_of(std::function<void()> const& work) {
  MPI_Barrier(MPI_COMM_WORLD);
  double seconds = seconds_of(work);
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

void all_reduce(benchmark::State& state) {
  auto const bytes = static_cast<std::size_t>(state.range(0));
  std::size_t const count = bytes / sizeof(float);
  weir::HostExecutor const executor;
  weir::MpiCommunicator const communicator(MPI_COMM_WORLD);
  communicator.reserve(executor, bytes);
  std::vector<float> data(count, 0.0F);
  auto const ours = [&] {
    communicator.all_reduce(executor, weir::view(data));
    executor.synchronize();
  };
  auto const theirs = [&] {
    MPI_Allreduce(MPI_IN_PLACE, data.data(), static_cast<int>(count), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  };
  CopyRoof roof(executor.team(), bytes);
  ours();
  theirs();
  double our_fastest = 1e9;
  double their_fastest = 1e9;
  for (auto _ : state) {
    MPI_Barrier(MPI_COMM_WORLD);
    roof.run();
    double const elapsed = slowest_of(ours);
    state.SetIterationTime(elapsed);
    our_fastest = std::min(our_fastest, elapsed);
    their_fastest = std::min(their_fastest, slowest_of(theirs));
  }
  auto const moved = static_cast<std::int64_t>(2 * bytes);  // by each process
  state.SetBytesProcessed(moved * static_cast<std::int64_t>(state.iterations()));
  state.counters["ranks"] = static_cast<double>(communicator.size());
  state.counters["of_copy"] = static_cast<double>(moved) / our_fastest / roof.bandwidth();
  state.counters["copy_GB_per_second"] = roof.bandwidth() / 1e9;
  state.counters["MPI_Allreduce/ours"] = their_fastest / our_fastest;
}

// As many turns on every process, whatever each of them measures.
BENCHMARK(all_reduce)
    ->ArgName("bytes")
    ->Arg(8)
    ->Arg(4'096)
    ->Arg(65'536)
    ->Arg(1 << 20)
    ->Arg(25 << 20)
    ->Iterations(50)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

/// Of the processes that do not report.
class Silence : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::vector<char*> arguments(argv, argv + argc);
  if (rank != 0) {  // one file is enough
    std::erase_if(arguments, [](char const* argument) {
      return std::string_view(argument).starts_with("--benchmark_out");
    });
  }
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  Silence silence;
  if (rank == 0) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    benchmark::RunSpecifiedBenchmarks(&silence);
  }
  MPI_Finalize();
}
