#include "weir/mpi/communicator.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <thread>
#include <vector>

#include "comm/collective_cases.hpp"
#include "comm/thread_ranks.hpp"
#include "weir/comm/agree.hpp"
#include "weir/comm/gather_pairs.hpp"
#include "weir/comm/mesh.hpp"
#include "weir/comm/pollable.hpp"
#include "weir/comm/threads.hpp"
#include "weir/host/executor.hpp"

using namespace std::chrono_literals;
using weir::HostExecutor;
using weir::MpiCommunicator;
using weir::view;

static_assert(weir::DescribedCommunicator<MpiCommunicator>);
static_assert(weir::PollableCommunicator<MpiCommunicator>);
static_assert(weir::SplittingCommunicator<MpiCommunicator>);
static_assert(weir::ReservingCommunicator<MpiCommunicator, HostExecutor>);
static_assert(weir::ReducingCommunicator<MpiCommunicator, HostExecutor, weir::bfloat16>);
static_assert(weir::GatheringCommunicator<MpiCommunicator, HostExecutor, std::byte>);
static_assert(weir::ScatteringCommunicator<MpiCommunicator, HostExecutor, double>);
static_assert(weir::BroadcastingCommunicator<MpiCommunicator, HostExecutor, std::uint8_t>);
static_assert(weir::PointToPointCommunicator<MpiCommunicator, HostExecutor>);

namespace {

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

/// Until all ranks have come here, so that one test does not run into the next.
struct Meeting {
  Meeting() { MPI_Barrier(MPI_COMM_WORLD); }
  Meeting(Meeting const&) = delete;
  Meeting& operator=(Meeting const&) = delete;
  ~Meeting() { MPI_Barrier(MPI_COMM_WORLD); }
};

template <class Error, class Function>
std::string text_thrown(Function const& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE("a borrowed MPI_Comm is duplicated, so the caller's messages do not meet ours") {
  Meeting const meeting;
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm borrowed = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, 0, size - rank, &borrowed);
  MpiCommunicator const communicator(borrowed);
  MPI_Comm_free(&borrowed);
  CHECK(communicator.size() == static_cast<std::size_t>(size));
  CHECK(communicator.rank() == static_cast<std::size_t>(size - 1 - rank));
  HostExecutor const executor;
  collective_cases::everything(communicator, executor, 1, 100);
}

TEST_CASE("all collectives give the bits of a sum in rank order, for all element types") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  communicator.reserve(executor, 1 << 20);
  collective_cases::all_types(communicator, executor, 1);
  collective_cases::all_types(communicator, executor, 2'500);
  collective_cases::all_types(communicator, executor, 20'001);
  collective_cases::operators_combine(communicator, executor);
}

TEST_CASE("large vectors are reduced piece by piece") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  collective_cases::all_reduce_sums<float>(communicator, executor, 3, 3'000'001);
  collective_cases::reduce_scatter_gives_even_parts<double>(communicator, executor, 1, 2'000'003);
  collective_cases::reduce_scatter_takes_boundaries_in_place<float>(communicator, executor, 3'000'001);
}

TEST_CASE("empty, odd and misaligned views work, divisible by the ranks or not") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  for (std::size_t offset = 0; offset < 32; ++offset) {
    for (std::size_t count = offset % 4; count < 130; count += 4) {
      collective_cases::everything(communicator, executor, offset, count);
    }
  }
}

TEST_CASE("results have the bits of the thread transport") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  for (std::size_t const count : {7u, 100'000u}) {
    auto over_mpi = collective_cases::elements<float>(communicator.rank(), count);
    communicator.all_reduce(executor, view(over_mpi));
    executor.synchronize();
    on_all_thread_ranks(communicator.size(),
                        [&](weir::ThreadCommunicator const& threads, HostExecutor const& stream) {
                          auto over_threads = collective_cases::elements<float>(threads.rank(), count);
                          threads.all_reduce(stream, view(over_threads));
                          stream.synchronize();
                          CHECK(collective_cases::same_bits(over_threads.data(), over_mpi.data(), count));
                        });
  }
}

TEST_CASE("split and mesh make communicators that work side by side") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  weir::Mesh const mesh{communicator, {{"pipeline", 1}, {"data", communicator.size()}}};
  CHECK(mesh.axis("data").size() == communicator.size());
  CHECK(mesh.axis("data").rank() == communicator.rank());
  CHECK(mesh.axis("pipeline").size() == 1);
  collective_cases::everything(mesh.axis("data"), executor, 1, 50);
  collective_cases::everything(mesh.axis("pipeline"), executor, 1, 50);
  MpiCommunicator const backwards = communicator.split(0, communicator.size() - communicator.rank());
  CHECK(backwards.rank() == communicator.size() - 1 - communicator.rank());
  collective_cases::everything(backwards, executor, 1, 50);
}

TEST_CASE("agree passes where ranks agree and throws on every rank where they do not") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  weir::Fingerprint mine;
  mine.operation = weir::CommOperation::all_reduce;
  mine.count = 10;
  weir::agree(communicator, executor, mine);
  if (communicator.rank() == 1) mine.layout = 5;
  auto const text =
      text_thrown<weir::FingerprintMismatch>([&] { weir::agree(communicator, executor, mine); });
  CHECK(contains(text, "layout 0000000000000005"));
  CHECK(contains(text, "seen on rank " + std::to_string(communicator.rank())));
}

TEST_CASE("other shapes are reported on all ranks, with both sides") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  std::vector<float> data(5);
  communicator.all_reduce(executor, view(data).part(0, communicator.rank() == 1 ? 5 : 4));
  auto const text = text_thrown<weir::FingerprintMismatch>([&] { executor.synchronize(); });
  CHECK(contains(text, "rank 0 calls all_reduce number 1 of 4 float32 (sum)"));
  CHECK(contains(text, "rank 1 calls all_reduce number 1 of 5 float32 (sum)"));
  communicator.all_reduce(executor, view(data));
  CHECK_THROWS_AS(executor.synchronize(), weir::FingerprintMismatch);
  CHECK_THROWS_AS(communicator.poll(0ms), weir::FingerprintMismatch);
}

TEST_CASE("other element types, operators, roots and boundaries are reported on all ranks, with both sides") {
  Meeting const meeting;
  HostExecutor const executor;
  std::vector<float> reals(8);
  std::vector<std::int32_t> integers(8);  // of the same size
  auto const check = [&](auto const& call, std::string const& others, std::string const& rank_1) {
    MpiCommunicator const communicator(MPI_COMM_WORLD);
    call(communicator, communicator.rank() == 1);
    auto const text = text_thrown<weir::FingerprintMismatch>([&] { executor.synchronize(); });
    CAPTURE(text);
    CHECK(contains(text, " calls " + others));  // as one of them saw it
    CHECK(contains(text, "rank 1 calls " + rank_1));
  };
  auto const sum = [&](MpiCommunicator const& communicator, bool of_integers) {
    if (of_integers) {
      communicator.all_reduce(executor, view(integers));
    } else {
      communicator.all_reduce(executor, view(reals));
    }
  };
  check(sum, "all_reduce number 1 of 8 float32 (sum)", "all_reduce number 1 of 8 int32 (sum)");
  // Also where all ranks know both.
  check(
      [&](MpiCommunicator const& communicator, bool is_other) {
        sum(communicator, false);
        sum(communicator, true);
        executor.synchronize();
        sum(communicator, is_other);
      },
      "all_reduce number 3 of 8 float32 (sum)", "all_reduce number 3 of 8 int32 (sum)");
  check(
      [&](MpiCommunicator const& communicator, bool is_other) {
        communicator.all_reduce(executor, view(reals), is_other ? weir::ReduceOp::max : weir::ReduceOp::min);
      },
      "all_reduce number 1 of 8 float32 (min)", "all_reduce number 1 of 8 float32 (max)");
  check([&](MpiCommunicator const& communicator,
            bool is_other) { communicator.broadcast(executor, view(reals), is_other ? 1 : 0); },
        "broadcast number 1 of 8 float32 from rank 0", "broadcast number 1 of 8 float32 from rank 1");
  std::vector<std::size_t> boundaries(4, 8);
  std::vector<float> part(8);
  check(
      [&](MpiCommunicator const& communicator, bool is_other) {
        boundaries = {0, is_other ? std::size_t{3} : std::size_t{2}, 6, 8};
        boundaries.resize(communicator.size());
        boundaries.push_back(8);
        std::size_t const rank = communicator.rank();
        communicator.reduce_scatter(executor, view(reals),
                                    view(part).part(0, boundaries[rank + 1] - boundaries[rank]),
                                    weir::ReduceOp::sum, boundaries);
      },
      "reduce_scatter number 1 of 8 float32 (sum), layout ",
      "reduce_scatter number 1 of 8 float32 (sum), layout ");
}

TEST_CASE("known collectives in another order are reported on all ranks, long before the deadline") {
  Meeting const meeting;
  HostExecutor const executor;
  for (std::size_t const place : {3u, 40u}) {
    MpiCommunicator const communicator(MPI_COMM_WORLD);
    std::vector<float> small(10);
    std::vector<float> large(10'000);
    auto const begin = std::chrono::steady_clock::now();
    for (std::size_t step = 0; step < 60; ++step) {
      bool const is_swapped = communicator.rank() == 1 && step == place;
      communicator.all_reduce(executor, is_swapped ? view(large) : view(small));
      communicator.all_reduce(executor, is_swapped ? view(small) : view(large));
    }
    auto const text = text_thrown<weir::FingerprintMismatch>([&] { executor.synchronize(); });
    CHECK(contains(text, "all_reduce number " + std::to_string(2 * place + 1) + " of 10 float32"));
    CHECK(contains(text, "all_reduce number " + std::to_string(2 * place + 1) + " of 10000 float32"));
    CHECK(contains(text, "The last operations of this rank, oldest first:\n"));
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
  }
}

TEST_CASE("a message of another size is an error on both sides") {
  Meeting const meeting;
  for (std::size_t const sent : {3u, 5u}) {
    HostExecutor const executor;
    MpiCommunicator const communicator(MPI_COMM_WORLD);
    std::vector<int> data(8);
    weir::TransferGroup<weir::HostSpace> group;
    if (communicator.rank() == 0) group.send(view(data).part(0, sent), 1);
    if (communicator.rank() == 1) group.receive(view(data).part(0, 4), 0);
    communicator.exchange(executor, group.transfers());
    communicator.all_reduce(executor, view(data));
    CHECK_THROWS_AS(executor.synchronize(), weir::FingerprintMismatch);
  }
}

TEST_CASE("a rank that never arrives is a PeerTimeout on the others") {
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD, {.deadline = 1'500ms});
  Meeting const meeting;  // it goes behind that, when nobody sends to the rank any more
  std::vector<float> data(10);
  communicator.all_reduce(executor, view(data));
  executor.synchronize();
  if (communicator.rank() != 1) {
    auto const begin = std::chrono::steady_clock::now();
    communicator.all_reduce(executor, view(data));
    try {
      executor.synchronize();
      FAIL("rank 1 is missing");
    } catch (weir::PeerTimeout const& error) {
      CHECK(error.operation() == "all_reduce");
      CHECK(error.sequence() == 2);
      CHECK(contains(error.what(), "rank 1 did not take part within 1500 ms"));
    }
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
  }
}

TEST_CASE("a slow rank is waited for, and what the others told meanwhile harms nobody") {
  Meeting const meeting;
  HostExecutor const executor;
  for (int repetition = 0; repetition < 3; ++repetition) {
    MpiCommunicator const communicator(MPI_COMM_WORLD);
    if (communicator.rank() == 1) std::this_thread::sleep_for(250ms);
    collective_cases::all_reduce_sums<float>(communicator, executor, 0, 100);
    if (communicator.rank() == 0) std::this_thread::sleep_for(250ms);
    collective_cases::all_reduce_sums<float>(communicator, executor, 0, 100'000);
    CHECK(communicator.poll(0ms));
  }
}

TEST_CASE("abort reaches those who wait, long before the deadline") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  auto const begin = std::chrono::steady_clock::now();
  std::vector<float> data(100'000);
  if (communicator.rank() == 1) {
    std::this_thread::sleep_for(50ms);
    communicator.abort();
  }
  communicator.all_reduce(executor, view(data));
  auto const text = text_thrown<weir::PeerAborted>([&] { executor.synchronize(); });
  CHECK(contains(text, "rank 1 has failed or left"));
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("pairs of every rank are gathered with their counts") {
  Meeting const meeting;
  HostExecutor const executor;
  MpiCommunicator const communicator(MPI_COMM_WORLD);
  using Pairs = weir::PairBlocks<float, weir::HostSpace>;
  std::vector<std::uint64_t> memory(communicator.size() * Pairs::words(5));
  Pairs const pairs(view(memory), 5, communicator.size());
  *pairs.header(communicator.rank()) = {communicator.rank() + 1, 9};
  pairs.indices(communicator.rank())[communicator.rank()] = 17;
  weir::gather_pairs(communicator, executor, pairs);
  executor.synchronize();
  for (std::size_t rank = 0; rank < communicator.size(); ++rank) {
    CHECK(pairs.header(rank)->count == rank + 1);
    CHECK(pairs.indices(rank)[rank] == 17);
  }
}

TEST_CASE("reserved memory comes from the executor and goes back to it") {
  Meeting const meeting;
  struct Counting : std::pmr::memory_resource {
    std::size_t taken = 0;
    std::size_t given_back = 0;

   private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
      taken += bytes;
      return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
      given_back += bytes;
      std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override {
      return this == &other;
    }
  } memory;
  {
    HostExecutor const executor({.memory = &memory});
    MpiCommunicator const communicator(MPI_COMM_WORLD);
    communicator.reserve(executor, 100'000'000);
    auto const reserved = memory.taken;
    CHECK(reserved > 4'000'000);
    CHECK(reserved == communicator.scratch_bytes(100'000'000));
    std::vector<float> data(2'000'000);
    communicator.all_reduce(executor, view(data));
    executor.synchronize();
    CHECK(memory.taken == reserved);
  }
  CHECK(memory.given_back == memory.taken);
}
