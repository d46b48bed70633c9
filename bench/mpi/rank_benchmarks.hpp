#pragma once

#include <benchmark/benchmark.h>
#include <mpi.h>

#include <functional>
#include <string_view>
#include <vector>

#include "host/copy_roof.hpp"

/// Of all processes, which begin together.
inline double slowest_of(std::function<void()> const& work) {
  MPI_Barrier(MPI_COMM_WORLD);
  double seconds = seconds_of(work);
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

/// Of the processes that do not report.
class Silence : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const&) override {}
};

/// What main does: all processes run the benchmarks, the first one reports.
inline void run_on_ranks(int argc, char** argv) {
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
