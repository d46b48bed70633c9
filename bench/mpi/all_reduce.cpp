// A sum over processes, beside `MPI_Allreduce` and beside a plain copy of what it has to read and write,
// which every process does at the same time. Run it under mpirun; the times are those of the slowest process.
//
// The sums are not the same: ours has the same bits on all ranks, whatever the library of MPI chooses, and an
// end to every wait.

#include <benchmark/benchmark.h>
#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "host/copy_roof.hpp"
#include "mpi/rank_benchmarks.hpp"
#include "weir/host/executor.hpp"
#include "weir/mpi/communicator.hpp"

namespace {

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

}  // namespace

int main(int argc, char** argv) {
  run_on_ranks(argc, argv);
}
