#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "pipeline/scalar_chain.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/mpi/transport.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/stage/recipe.hpp"

// A pipeline with a worker on each rank, of which the last stops itself for good after two runs. The others
// report how they found out, and after how long, as in mpi_stopped_peer.cpp.

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto deadline = 1'500ms;

int run() {
  weir::MpiCommunicator const communicator(MPI_COMM_WORLD, {.deadline = deadline});
  auto const p = static_cast<std::uint32_t>(communicator.size());
  weir::HostExecutor const executor;
  weir::InterleavedPipeline<weir::HostExecutor, double, weir::Single, weir::MpiTransport> pipe{
      executor,
      weir::make_table<weir::OneFOneB>({.workers = p, .micro_batches = 8}),
      {.stages = scalar_chain::layouts(p), .watchdog = deadline},
      {},
      weir::MpiTransport(communicator)};
  std::vector<double> weights(1, 0.5);
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(pipe, weir::view(weights));
  scalar_chain::Model const model;
  scalar_chain::Batch const data(scalar_chain::samples);
  for (int i = 0; i < 2; ++i) sync(pipe(data, model));
  sync.drain();
  if (communicator.rank() + 1 == communicator.size()) {
    std::printf("stopped process %ld\n", static_cast<long>(getpid()));
    std::fflush(stdout);
    std::raise(SIGSTOP);
    return 1;
  }
  auto const begin = Clock::now();
  int result = 1;
  sync(pipe(data, model));
  try {
    sync.drain();
  } catch (weir::PipelineError const& error) {
    bool const is_in_time = Clock::now() - begin < deadline + 1s;
    std::printf("survivor %zu: %s (%s)\n", communicator.rank(), is_in_time ? "PipelineError" : "late",
                error.what());
    result = is_in_time ? 0 : 1;
  }
  std::fflush(stdout);
  std::this_thread::sleep_for(1s);  // the first that ends takes the others with it
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  std::_Exit(run());
}
