// Sums of what the processes have selected, by each policy, beside a dense sum of the whole bucket over the
// same processes and beside `MPI_Allreduce`. Run it under mpirun; the times are those of the slowest process.
//
// `two_level` has nodes of two processes, and of one where their number is odd.
//
// Every process selects `elements / one_in` slots, of which about half are selected by several.

#include <benchmark/benchmark.h>
#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "mpi/rank_benchmarks.hpp"
#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/compress/break_even.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/collective/two_level.hpp"
#include "weir/host/executor.hpp"
#include "weir/mpi/communicator.hpp"

namespace {

/// What this process has selected: slots in ascending order, a quarter of the strides by all processes.
struct Selection {
  Selection(std::size_t elements, std::size_t one_in, std::size_t rank, bool is_shared)
      : residual(elements, 0.01F), out(elements) {
    std::mt19937 own(static_cast<std::uint32_t>(rank + 1));
    std::mt19937 common(77);
    for (std::size_t begin = 0; begin + one_in <= elements; begin += one_in) {
      std::size_t const of_all = common() % one_in;
      std::size_t const of_mine = own() % one_in;
      bool const takes_common = is_shared || common() % 2 == 0;
      indices.push_back(static_cast<std::uint32_t>(begin + (takes_common ? of_all : of_mine)));
      values.push_back(static_cast<float>(static_cast<int>(own() % 2001) - 1000) + 0.5F);
      residual[indices.back()] = 0.0F;
    }
    counts[0] = counts[1] = indices.size();
  }

  weir::SparseSum<float, weir::HostSpace> sum(bool is_shared) {
    weir::SparseSum<float, weir::HostSpace> sum{weir::view(indices), weir::view(values), counts};
    sum.shares_indices = is_shared;
    sum.out = weir::view(out);
    sum.residual = {residual.data(), residual.data(), residual.size(), &side};
    return sum;
  }

  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  std::vector<float> residual;
  std::vector<float> out;
  std::uint64_t counts[2];
  std::uint32_t side = 0;
};

/// Those of a node are neighbours.
struct TwoLevelOfPairs {
  template <class Context>
  auto on(Context const& context) const {
    std::size_t const ranks = context.communicator.size();
    std::size_t const places = ranks % 2 == 0 ? 2 : 1;
    weir::Mesh const mesh{context.communicator, {{"node", ranks / places}, {"place", places}}};
    return weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), weir::SplitAllGather{}}.on(context);
  }
};

template <class Policy>
void sparse_sum(benchmark::State& state, Policy const& policy) {
  auto const elements = static_cast<std::size_t>(state.range(0));
  auto const one_in = static_cast<std::size_t>(state.range(1));
  weir::HostExecutor const executor;
  weir::MpiCommunicator const communicator(MPI_COMM_WORLD);
  communicator.reserve(executor, elements * sizeof(float));
  constexpr bool is_shared = std::is_same_v<Policy, weir::SharedIndices>;
  Selection selection(elements, one_in, communicator.rank(), is_shared);
  auto const sum = selection.sum(is_shared);
  auto bound = policy.on(weir::SparseContext<float, weir::HostExecutor, weir::MpiCommunicator>{
      executor, communicator, elements, selection.indices.size()});
  auto const sparse = [&] {
    executor.submit([&](weir::HostExecutor const& point) { bound(point, sum); });
    executor.synchronize();
  };
  std::vector<float> data(elements, 1.0F);
  auto const dense = [&] {
    communicator.all_reduce(executor, weir::view(data));
    executor.synchronize();
  };
  auto const theirs = [&] {
    MPI_Allreduce(MPI_IN_PLACE, data.data(), static_cast<int>(elements), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  };
  sparse();
  dense();
  theirs();
  double fastest = 1e9;
  double dense_fastest = 1e9;
  double their_fastest = 1e9;
  for (auto _ : state) {
    double const elapsed = slowest_of(sparse);
    state.SetIterationTime(elapsed);
    fastest = std::min(fastest, elapsed);
    dense_fastest = std::min(dense_fastest, slowest_of(dense));
    their_fastest = std::min(their_fastest, slowest_of(theirs));
    std::fill(data.begin(), data.end(), 1.0F);
  }
  state.counters["ranks"] = static_cast<double>(communicator.size());
  state.counters["dense/sparse"] = dense_fastest / fastest;
  state.counters["MPI_Allreduce/sparse"] = their_fastest / fastest;
  if constexpr (requires { Policy::method; }) {
    weir::SparseLoad const load{communicator.size(), static_cast<double>(elements),
                                static_cast<double>(selection.indices.size())};
    weir::Link const bytes{0.0, 1.0};
    state.counters["dense/sparse bytes"] = weir::seconds_of(weir::SparseMethod::dense_ring, load, bytes) /
                                           weir::seconds_of(Policy::method, load, bytes);
  }
}

// As many turns on every process, whatever each of them measures.
void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"elements", "one_in"});
  for (std::int64_t const elements : {1 << 18, 1 << 22}) {
    for (std::int64_t const one_in : {10, 100, 1000}) benchmark->Args({elements, one_in});
  }
  benchmark->Iterations(20)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(sparse_sum, fixed_gather, weir::FixedGather{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, all_gather, weir::AllGatherPairs{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, recursive_doubling, weir::RecursiveDoubling{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, split, weir::SplitAllGather{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, global_top_k, weir::GlobalTopK{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, balanced, weir::BalancedTopK{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, shared_indices, weir::SharedIndices{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, leader_indices, weir::LeaderIndices{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, two_level, TwoLevelOfPairs{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, automatic, weir::Automatic{})->Apply(sizes);
BENCHMARK_CAPTURE(sparse_sum, dense, weir::DenseSum{})->Apply(sizes);

}  // namespace

int main(int argc, char** argv) {
  run_on_ranks(argc, argv);
}
