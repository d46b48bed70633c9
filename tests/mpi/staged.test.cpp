// Device memory over MPI, staged through pinned memory; the device is the stand-in's.
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <vector>

#include "comm/collective_cases.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/mirrored.hpp"
#include "support/cuda/on_device.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/mpi/communicator.hpp"

using namespace std::chrono_literals;
using weir::CudaExecutor;
using weir::MpiCommunicator;
using Staged = weir::StagedCommunicator<MpiCommunicator>;

static_assert(weir::DescribedCommunicator<Staged>);
static_assert(weir::ReducingCommunicator<Staged, CudaExecutor, weir::bfloat16>);
static_assert(weir::PointToPointCommunicator<Staged, CudaExecutor>);

namespace {

/// Until all ranks have come here, so that one test does not run into the next.
struct Meeting {
  Meeting() { MPI_Barrier(MPI_COMM_WORLD); }
  Meeting(Meeting const&) = delete;
  Meeting& operator=(Meeting const&) = delete;
  ~Meeting() { MPI_Barrier(MPI_COMM_WORLD); }
};

}  // namespace

TEST_CASE("staged over MPI, collectives give the bits of a sum in rank order, for all element types") {
  Meeting const meeting;
  CleanSession session({.seed = 3});
  Staged const communicator(MpiCommunicator(MPI_COMM_WORLD), {4096});
  CudaExecutor const executor;
  for (std::size_t const count : {100u, 5'000u}) {
    collective_cases::all_types(Mirrored(communicator), executor, count);
  }
  collective_cases::everything(Mirrored(communicator), executor, 0, 0);
  collective_cases::operators_combine(Mirrored(communicator), executor);
}

TEST_CASE("chunks of the usual size carry vectors that are no multiple of them") {
  Meeting const meeting;
  CleanSession session;
  MPI_Comm const ours = MPI_COMM_WORLD;
  weir::StagedCommunicator const communicator{weir::MpiCommunicator(ours)};
  CudaExecutor const executor;
  communicator.reserve(executor, std::size_t{20} << 20);
  collective_cases::all_reduce_sums<float>(Mirrored(communicator), executor, 3, 2'621'443);
}

TEST_CASE("staged over MPI, ranks that differ all say so") {
  Meeting const meeting;
  stand_in::Session session;  // pinned memory is kept after a failure
  CudaExecutor const executor;
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size < 2) return;
  Staged const communicator(MpiCommunicator(MPI_COMM_WORLD), {4096});
  OnDevice const data(executor, std::vector<float>(5'000));
  auto const mine = data.view().part(0, 5'000 - communicator.rank());
  CHECK_THROWS_AS(communicator.all_reduce(executor, mine), weir::FingerprintMismatch);
  CHECK_THROWS_AS(communicator.poll(0ms), weir::FingerprintMismatch);
  CHECK(session.take_violations() == std::vector<std::string>{});
}

TEST_CASE("staged over MPI, a rank that never comes is an error within the deadline") {
  stand_in::Session session;
  CudaExecutor const executor;
  Staged const communicator(MpiCommunicator(MPI_COMM_WORLD, {300ms}), {4096});
  Meeting const meeting;  // it goes behind that, when nobody sends to the rank any more
  if (communicator.size() < 2 || communicator.rank() == 1) return;
  OnDevice const data(executor, std::vector<float>(5'000));
  CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerTimeout);
}
