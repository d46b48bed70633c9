#include "weir/mpi/exchange.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "weir/comm/byte_exchange.hpp"

using namespace std::chrono_literals;

static_assert(weir::ByteExchange<weir::MpiByteExchange>);

namespace {

std::size_t rank_in_world() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return static_cast<std::size_t>(rank);
}

}  // namespace

TEST_CASE("all ranks get the bytes of rank 0, again and again") {
  weir::MpiByteExchange const exchange(MPI_COMM_WORLD);
  for (int round = 1; round < 4; ++round) {
    std::vector<std::byte> bytes(128);
    if (rank_in_world() == 0) bytes.assign(128, static_cast<std::byte>(round));
    exchange(rank_in_world(), bytes);
    CHECK(bytes == std::vector<std::byte>(128, static_cast<std::byte>(round)));
  }
}

TEST_CASE("another rank than that of the MPI communicator is refused") {
  weir::MpiByteExchange const exchange(MPI_COMM_WORLD);
  std::array<std::byte, 4> bytes{};
  CHECK_THROWS_AS(exchange(rank_in_world() + 1, bytes), weir::ContractViolation);
}

TEST_CASE("a rank 0 that never comes is an error within the deadline") {
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &copy);
  weir::MpiByteExchange const exchange(copy, {100ms});
  if (rank_in_world() != 0) {
    std::array<std::byte, 4> bytes{};
    auto const begin = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(exchange(rank_in_world(), bytes), weir::PeerTimeout);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
  }
  MPI_Barrier(MPI_COMM_WORLD);  // `copy` stays: the broadcast on it never ends
}
