#include "weir/mpi/notices.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "weir/mpi/link.hpp"

using namespace std::chrono_literals;
using weir::detail::MpiNotices;

namespace {

struct World {
  World() {
    MPI_Comm_dup(MPI_COMM_WORLD, &communicator);
    MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN);
  }
  MPI_Comm communicator = MPI_COMM_NULL;
  std::size_t rank = weir::detail::mpi_rank_of(MPI_COMM_WORLD);
  std::size_t size = weir::detail::mpi_size_of(MPI_COMM_WORLD);
};

void read_until_failed(MpiNotices& notices) {
  auto const end = std::chrono::steady_clock::now() + 20s;
  while (!notices.is_failed() && std::chrono::steady_clock::now() < end) notices.read();
}

weir::Fingerprint reduction(std::uint64_t sequence, std::uint64_t count) {
  weir::Fingerprint print;
  print.operation = weir::CommOperation::all_reduce;
  print.sequence = sequence;
  print.count = count;
  return print;
}

}  // namespace

TEST_CASE("a failure of one rank reaches all, and stays") {
  World const world;
  MpiNotices notices(world.communicator, world.rank, world.size, 5s);
  CHECK_NOTHROW(notices.check());
  if (world.rank == 1) notices.fail_timeout(reduction(7, 1), 0, "rank 0");
  read_until_failed(notices);
  notices.fail_aborted();
  CHECK_THROWS_AS(notices.check(), weir::PeerTimeout);
  CHECK_THROWS_AS(notices.begin(reduction(8, 1)), weir::PeerTimeout);
  MPI_Barrier(MPI_COMM_WORLD);
}

TEST_CASE("a rank that hears another wait in something else knows, before or after it comes there") {
  World const world;
  MpiNotices notices(world.communicator, world.rank, world.size, 5s);
  notices.begin(reduction(1, 4));
  notices.begin(reduction(2, world.rank == 0 ? 5 : 4));
  if (world.rank == 0) notices.tell_waiting(reduction(2, 5));
  read_until_failed(notices);
  CHECK_THROWS_AS(notices.check(), weir::FingerprintMismatch);
  MPI_Barrier(MPI_COMM_WORLD);

  World const another;
  MpiNotices later(another.communicator, another.rank, another.size, 5s);
  if (another.rank == 0) {
    later.begin(reduction(1, 5));
    later.tell_waiting(reduction(1, 5));
    read_until_failed(later);
  } else {
    std::this_thread::sleep_for(50ms);
    later.read();
    auto const come_there = [&] {
      later.begin(reduction(1, 4));
      read_until_failed(later);
      later.check();
    };
    CHECK_THROWS_AS(come_there(), weir::FingerprintMismatch);
  }
  CHECK(later.is_failed());
  MPI_Barrier(MPI_COMM_WORLD);
}
