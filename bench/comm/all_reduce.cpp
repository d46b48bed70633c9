#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <vector>

#include "weir/comm/threads.hpp"
#include "weir/host/executor.hpp"

// A sum over ranks in one process, beside a plain copy of what it has to read and write: every rank reads and
// writes its vector once. The copy runs on the same number of streams, so that the ratio is that of the work
// and not of the cores.

namespace {

constexpr std::size_t ranks = 2;

void thread_all_reduce(benchmark::State& state) {
  auto const count = static_cast<std::size_t>(state.range(0)) / sizeof(float);
  auto const group = weir::ThreadCommunicator::group(ranks);
  std::vector<weir::HostExecutor> streams;
  std::vector<std::vector<float>> data(ranks, std::vector<float>(count, 0.0F));
  for (std::size_t rank = 0; rank < ranks; ++rank) streams.emplace_back();
  for (auto _ : state) {
    for (std::size_t rank = 0; rank < ranks; ++rank)
      group[rank].all_reduce(streams[rank], weir::view(data[rank]));
    for (auto const& stream : streams) stream.synchronize();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(2 * ranks * count * sizeof(float)) * state.iterations());
}

void plain_copy(benchmark::State& state) {
  auto const count = static_cast<std::size_t>(state.range(0)) / sizeof(float);
  std::vector<weir::HostExecutor> streams;
  std::vector<std::vector<float>> from(ranks, std::vector<float>(count, 1.0F));
  std::vector<std::vector<float>> to(ranks, std::vector<float>(count));
  for (std::size_t rank = 0; rank < ranks; ++rank) streams.emplace_back();
  for (auto _ : state) {
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      streams[rank].submit([source = from[rank].data(), target = to[rank].data(), count] {
        std::memcpy(target, source, count * sizeof(float));
      });
    }
    for (auto const& stream : streams) stream.synchronize();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(2 * ranks * count * sizeof(float)) * state.iterations());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->ArgName("bytes");
  for (std::int64_t const bytes : {8, 4'096, 65'536, 1 << 20, 25 << 20}) benchmark->Arg(bytes);
}

BENCHMARK(plain_copy)->Apply(sizes);
BENCHMARK(thread_all_reduce)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
