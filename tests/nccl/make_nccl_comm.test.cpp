#include "weir/nccl/make_nccl_comm.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"
#include "support/cuda/mirrored.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/comm/file_exchange.hpp"

using namespace std::chrono_literals;
using nccl_ranks::Machine;
using nccl_ranks::text_thrown;
using weir::make_nccl_comm;

namespace {

auto const nothing = [](std::size_t, std::span<std::byte>) {};

}  // namespace

TEST_CASE("ranks find each other through any exchange, and own what was made") {
  Machine machine(3);
  std::size_t const ranks = 3;
  std::string const path = (std::filesystem::temp_directory_path() / "weir-make-nccl-comm").string();
  std::string const nonce = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  auto const failures = on_rank_threads(ranks, [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank));
    weir::FileByteExchange const exchange(path, nonce);
    weir::NcclCommunicator const communicator = weir::make_nccl_comm(rank, ranks, exchange);
    CHECK(communicator.rank() == rank);
    CHECK(communicator.size() == 3);
    CHECK(communicator.device() == static_cast<int>(rank));
    collective_cases::everything(Mirrored(communicator), weir::CudaExecutor(), 0, 10);
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
  CHECK(machine.nccl.inventory() == stand_in_nccl::Inventory{3, 3, 0});
  std::filesystem::remove(path + "-0");
}

TEST_CASE("the id is of rank 0 alone, and 128 bytes") {
  Machine machine(1);
  std::size_t calls = 0;
  auto const communicator = make_nccl_comm(0, 1, [&](std::size_t rank, std::span<std::byte> id) {
    CHECK(rank == 0);
    CHECK(id.size() == 128);
    ++calls;
  });
  CHECK(calls == 1);
  machine.nccl.fail("ncclGetUniqueId", ncclSystemError);
  CHECK(nccl_ranks::contains(text_thrown<weir::NcclError>([] { make_nccl_comm(0, 1, nothing); }),
                             "ncclGetUniqueId"));
}

TEST_CASE("a rank that never comes is an error within the deadline") {
  Machine machine(1);
  auto const begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(make_nccl_comm(0, 2, nothing, {100ms}), weir::PeerTimeout);
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
  CHECK(machine.nccl.inventory() == stand_in_nccl::Inventory{1, 0, 1});
}

TEST_CASE("wrong ranks, an exchange that throws and a call that fails are errors, and leave nothing") {
  Machine machine(1);
  CHECK_THROWS_AS(make_nccl_comm(2, 2, nothing), weir::ContractViolation);
  CHECK_THROWS_AS(make_nccl_comm(0, 0, nothing), weir::ContractViolation);
  CHECK_THROWS_AS(make_nccl_comm(0, std::size_t{1} << 31, nothing), weir::ContractViolation);
  CHECK_THROWS_AS(
      make_nccl_comm(0, 1, [](std::size_t, std::span<std::byte>) { throw std::runtime_error("no"); }),
      std::runtime_error);
  machine.nccl.fail("ncclCommInitRankConfig", ncclSystemError);
  CHECK_THROWS_AS(make_nccl_comm(0, 1, nothing), weir::NcclError);
  CHECK(machine.nccl.inventory() == stand_in_nccl::Inventory{});
}
