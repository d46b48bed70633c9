#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/mpi/communicator.hpp"

// The last rank stops itself for good after two steps. The others report how they found out, and after how
// long. The driver reads what they print: no process can leave MPI in order while one is stopped.

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto deadline = 1'500ms;

int survive(weir::MpiCommunicator const& communicator, weir::HostExecutor const& executor,
            std::vector<float>& data) {
  auto const begin = Clock::now();
  communicator.all_reduce(executor, weir::view(data));
  try {
    executor.synchronize();
  } catch (weir::PeerTimeout const& error) {
    bool const is_in_time = Clock::now() - begin < deadline + 1s;
    bool const is_right = error.operation() == "all_reduce" && error.sequence() == 3;
    std::printf("survivor %zu: %s (%s)\n", communicator.rank(),
                is_in_time && is_right ? "PeerTimeout" : "wrong", error.what());
    return is_in_time && is_right ? 0 : 1;
  } catch (std::exception const& error) {
    std::printf("survivor %zu: another error: %s\n", communicator.rank(), error.what());
  }
  return 1;
}

int run() {
  weir::HostExecutor const executor;
  weir::MpiCommunicator const communicator(MPI_COMM_WORLD, {.deadline = deadline});
  std::vector<float> data(100'000, 1.0F);
  for (int step = 0; step < 2; ++step) communicator.all_reduce(executor, weir::view(data));
  executor.synchronize();
  if (communicator.rank() == communicator.size() - 1) {
    std::printf("stopped process %ld\n", static_cast<long>(getpid()));
    std::fflush(stdout);
    std::raise(SIGSTOP);
    return 1;
  }
  int const result = survive(communicator, executor, data);
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
