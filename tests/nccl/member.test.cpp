#include "weir/nccl/member.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/nccl/communicator.hpp"

using namespace std::chrono_literals;
using nccl_ranks::contains;
using nccl_ranks::failures_of_ranks;
using nccl_ranks::Machine;
using nccl_ranks::text_thrown;
using weir::CudaExecutor;
using weir::DeviceSpace;
using weir::NcclCommunicator;
using Clock = std::chrono::steady_clock;

namespace {

/// Lets a rank wait for another without a communicator.
class Signal {
 public:
  void give() { is_given_ = true; }
  void wait() const {
    while (!is_given_) std::this_thread::sleep_for(1ms);
  }

 private:
  std::atomic<bool> is_given_ = false;
};

/// What `f` throws when it is called on two ranks.
template <class Function>
std::vector<std::exception_ptr> failures_of_pair(std::chrono::milliseconds deadline, Function const& f) {
  return failures_of_ranks(2, {deadline}, f);
}

/// Waits as a recipe does.
void watch(NcclCommunicator const& communicator, CudaExecutor const& executor) {
  auto const end = executor.make_event();
  executor.record(end);
  while (!executor.reached(end)) communicator.poll(0ms);
}

}  // namespace

TEST_CASE("ranks that differ all say so, name both sides, and stay unusable") {
  auto const differ = [](std::string const& left, std::string const& right, auto const& call) {
    CAPTURE(left);
    Machine machine(2);
    auto const failures =
        failures_of_pair(20s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
          OnDevice const data(executor, std::vector<float>(20));
          std::string const text =
              text_thrown<weir::FingerprintMismatch>([&] { call(communicator, executor, data.view()); });
          CHECK(contains(text, left));
          CHECK(contains(text, right));
          CHECK(contains(text, "seen on rank " + std::to_string(communicator.rank())));
          CHECK_FALSE(communicator.is_aborted());
          CHECK(text == text_thrown<weir::FingerprintMismatch>(
                            [&] { communicator.broadcast(executor, data.view(), 0); }));
          CHECK(text == text_thrown<weir::FingerprintMismatch>([&] { communicator.poll(0ms); }));
          CHECK(text == text_thrown<weir::FingerprintMismatch>([&] { communicator.split(0, 0); }));
        });
    for (auto const& failure : failures) CHECK(text_of(failure).empty());
    CHECK(machine.nccl.inventory() == stand_in_nccl::Inventory{2, 2, 0});
  };
  differ("rank 0 calls all_reduce number 1 of 20 float32 (sum)",
         "rank 1 calls all_reduce number 1 of 19 float32 (sum)",
         [](auto const& communicator, auto const& executor, auto data) {
           communicator.all_reduce(executor, data.part(0, 20 - communicator.rank()));
         });
  differ("rank 0 calls all_reduce number 1 of 20 float32 (max)",
         "rank 1 calls all_reduce number 1 of 20 float32 (min)",
         [](auto const& communicator, auto const& executor, auto data) {
           communicator.all_reduce(executor, data,
                                   communicator.rank() == 0 ? weir::ReduceOp::max : weir::ReduceOp::min);
         });
  differ("rank 0 calls broadcast number 1 of 20 float32 from rank 0", "of 20 float32 from rank 1",
         [](auto const& communicator, auto const& executor, auto data) {
           communicator.broadcast(executor, data, communicator.rank());
         });
  differ("rank 0 calls all_reduce number 1", "rank 1 calls broadcast number 1",
         [](auto const& communicator, auto const& executor, auto data) {
           if (communicator.rank() == 0) communicator.all_reduce(executor, data);
           if (communicator.rank() == 1) communicator.broadcast(executor, data, 0);
         });
  differ("of 10 float32 (sum)", "of 10 int32 (sum)",
         [](auto const& communicator, auto const& executor, auto data) {
           auto const other = weir::view<DeviceSpace>(reinterpret_cast<std::int32_t*>(data.data()), 10);
           if (communicator.rank() == 0) communicator.all_reduce(executor, data.part(0, 10));
           if (communicator.rank() == 1) communicator.all_reduce(executor, other);
         });
  differ("rank 0 calls reduce_scatter number 1 of 18 float32 (sum), layout",
         "rank 1 calls reduce_scatter number 1 of 18 float32 (sum)",
         [](auto const& communicator, auto const& executor, auto data) {
           std::vector<std::size_t> boundaries{0, 1, 18};
           if (communicator.rank() == 1) boundaries.clear();
           communicator.reduce_scatter(
               executor, weir::TensorView<float const, DeviceSpace>(data.part(0, 18)),
               data.part(communicator.rank() == 0 ? 19 : 9, communicator.rank() == 0 ? 1 : 9),
               weir::ReduceOp::sum, boundaries);
         });
}

TEST_CASE("ranks that have called something different before are found out at the next first use") {
  Machine machine(2);
  auto const failures =
      failures_of_pair(20s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4));
        communicator.all_reduce(executor, data.view());
        executor.synchronize();
        if (communicator.rank() == 1) communicator.all_reduce(executor, data.view().part(0, 0));
        communicator.all_reduce(executor, data.view().part(0, 3));
      });
  for (auto const& failure : failures) {
    CHECK(is_a<weir::FingerprintMismatch>(failure));
    CHECK(contains(text_of(failure), "The last operations of this rank, oldest first:"));
  }
}

TEST_CASE("a peer that never comes is an error of poll within the deadline") {
  Machine machine(2);
  Signal is_over;
  auto const failures =
      failures_of_pair(1s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4, 1.0F));
        communicator.all_reduce(executor, data.view());
        watch(communicator, executor);
        if (communicator.rank() == 1) return is_over.wait();
        auto const begin = Clock::now();
        communicator.all_reduce(executor, data.view());
        communicator.all_reduce(executor, data.view());
        try {
          watch(communicator, executor);
          CHECK_MESSAGE(false, "nothing thrown");
        } catch (weir::PeerTimeout const& error) {
          CHECK(error.operation() == "all_reduce");
          CHECK(error.sequence() == 2);
          CHECK(contains(error.what(), "began on this rank and did not end within 1000 ms"));
          CHECK(contains(error.what(), "all_reduce number 3 of 4 float32"));
        }
        CHECK(Clock::now() - begin >= 1s);
        CHECK(Clock::now() - begin < 20s);
        CHECK(communicator.is_aborted());
        CHECK(communicator.handle() == nullptr);
        executor.synchronize();  // what hung on the device has ended
        CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerTimeout);
        CHECK_THROWS_AS(communicator.poll(0ms), weir::PeerTimeout);
        is_over.give();
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
  CHECK(machine.nccl.inventory() == stand_in_nccl::Inventory{2, 1, 1});
}

TEST_CASE("so it is where a graph is replayed, if that is watched") {
  Machine machine(2);
  Signal is_over;
  auto const failures =
      failures_of_pair(1s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4, 1.0F));
        auto const step = [&] { communicator.all_reduce(executor, data.view()); };
        step();
        auto const graph = weir::CudaGraph::capture(executor, step);
        communicator.watch(executor, [&] { graph.replay(); });
        watch(communicator, executor);
        CHECK(data.content() == std::vector<float>(4, 4.0F));
        if (communicator.rank() == 1) return is_over.wait();
        CHECK_THROWS_AS(communicator.watch(executor, [] { throw 1; }), int);
        communicator.watch(executor, [&] { graph.replay(); });
        CHECK(contains(text_thrown<weir::PeerTimeout>([&] { watch(communicator, executor); }),
                       "all_reduce number 2"));
        executor.synchronize();
        CHECK_THROWS_AS(communicator.watch(executor, [&] { graph.replay(); }), weir::PeerTimeout);
        is_over.give();
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("time does not count before an operation has begun") {
  Machine machine(2);
  auto const failures =
      failures_of_pair(1s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4, 1.0F));
        communicator.all_reduce(executor, data.view());
        watch(communicator, executor);
        auto const end = Clock::now() + 1'500ms;  // a long kernel on both ranks
        stand_in::launch_attempt(executor.stream(), "slow", {}, [end] { return Clock::now() > end; });
        communicator.all_reduce(executor, data.view());
        watch(communicator, executor);
        CHECK(data.content() == std::vector<float>(4, 4.0F));
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("a peer that never comes is an error at a first use, too") {
  for (int const answers : {0, 2}) {
    Machine machine(2, {.in_progress = answers});
    Signal is_over;
    auto const failures =
        failures_of_pair(1s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
          OnDevice const data(executor, std::vector<float>(4, 1.0F));
          if (communicator.rank() == 1) return is_over.wait();
          auto const begin = Clock::now();
          CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerTimeout);
          CHECK(Clock::now() - begin < 20s);
          is_over.give();
        });
    for (auto const& failure : failures) CHECK(text_of(failure).empty());
  }
}

TEST_CASE("a call that NCCL never accepts is an error within the deadline") {
  Machine machine(2);
  Signal is_over;
  auto const failures =
      failures_of_pair(1s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4, 1.0F));
        communicator.all_reduce(executor, data.view());
        executor.synchronize();
        if (communicator.rank() == 1) return is_over.wait();
        machine.nccl.stall(communicator.handle());
        auto const text =
            text_thrown<weir::PeerTimeout>([&] { communicator.all_reduce(executor, data.view()); });
        CHECK(contains(text, "all_reduce number 2: ncclAllReduce was not accepted within 1000 ms"));
        is_over.give();
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("abort from another thread ends every wait, on the host and on the device") {
  SUBCASE("for a first use") {
    Machine machine(2);
    Signal is_over;
    failures_of_pair(20s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      OnDevice const data(executor, std::vector<float>(4, 1.0F));
      if (communicator.rank() == 1) return is_over.wait();
      std::thread other([communicator] {
        std::this_thread::sleep_for(50ms);
        communicator.abort();
        communicator.abort();
      });
      auto const text =
          text_thrown<weir::PeerAborted>([&] { communicator.all_reduce(executor, data.view()); });
      CHECK(text == "rank 0 has aborted; the communicator is unusable");
      other.join();
      executor.synchronize();
      is_over.give();
    });
  }
  SUBCASE("for NCCL to accept a call") {
    Machine machine(1);
    failures_of_ranks(1, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      OnDevice const data(executor, std::vector<float>(4, 1.0F));
      machine.nccl.stall(communicator.handle());
      std::thread other([communicator] {
        std::this_thread::sleep_for(50ms);
        communicator.abort();
      });
      CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerAborted);
      other.join();
    });
  }
  SUBCASE("for the device") {
    Machine machine(2);
    Signal is_over;
    auto const failures =
        failures_of_pair(20s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
          OnDevice const data(executor, std::vector<float>(4, 1.0F));
          communicator.all_reduce(executor, data.view());
          executor.synchronize();
          if (communicator.rank() == 1) return is_over.wait();
          communicator.all_reduce(executor, data.view());
          std::thread other([communicator] {
            std::this_thread::sleep_for(50ms);
            communicator.abort();
          });
          executor.synchronize();
          CHECK_THROWS_AS(communicator.poll(0ms), weir::PeerAborted);
          other.join();
          is_over.give();
        });
    for (auto const& failure : failures) CHECK(text_of(failure).empty());
  }
}

TEST_CASE("what NCCL reports later comes out of poll") {
  Machine machine(1);
  failures_of_ranks(1, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    CHECK(communicator.poll(0ms));
    machine.nccl.raise(communicator.handle(), ncclRemoteError);
    CHECK(contains(text_thrown<weir::PeerAborted>([&] { communicator.poll(0ms); }),
                   "ncclCommGetAsyncError: ncclRemoteError"));
    OnDevice const data(executor, std::vector<float>(4, 1.0F));
    CHECK_THROWS_AS(communicator.all_reduce(executor, data.view()), weir::PeerAborted);
    CHECK(communicator.is_aborted());
  });
  failures_of_ranks(1, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const&) {
    machine.nccl.raise(communicator.handle(), ncclSystemError);
    CHECK(contains(text_thrown<weir::NcclError>([&] { communicator.poll(0ms); }), "ncclSystemError"));
    CHECK_THROWS_AS(communicator.split(0, 0), weir::NcclError);
  });
}

TEST_CASE("an abort is a remote error on the others where NCCL tells them") {
  Machine machine(2, {.tells_others = true});
  Signal has_aborted;
  auto const failures =
      failures_of_pair(20s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4, 1.0F));
        communicator.all_reduce(executor, data.view());
        executor.synchronize();
        if (communicator.rank() == 1) {
          communicator.abort();
          return has_aborted.give();
        }
        communicator.all_reduce(executor, data.view());
        CHECK_THROWS_AS(watch(communicator, executor), weir::PeerAborted);
        has_aborted.wait();
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("a call that fails is named, with the result and the place, and is fatal") {
  for (std::string const name : {"ncclAllReduce", "ncclAllGather"}) {
    Machine machine(1);
    auto const failures =
        failures_of_ranks(1, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
          OnDevice const data(executor, std::vector<float>(4, 1.0F));
          machine.nccl.fail(name, ncclSystemError);
          auto const text =
              text_thrown<weir::NcclError>([&] { communicator.all_reduce(executor, data.view()); });
          CHECK(contains(text, name + ": ncclSystemError, told by the stand-in (member.hpp:"));
          CHECK(text ==
                text_thrown<weir::NcclError>([&] { communicator.all_reduce(executor, data.view()); }));
        });
    for (auto const& failure : failures) CHECK(text_of(failure).empty());
  }
  Machine machine(1);
  failures_of_ranks(1, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(4, 1.0F));
    weir::TransferGroup<DeviceSpace> group;
    group.send(data.view(), 0);
    group.receive(data.view(), 0);
    for (std::string const name : {"ncclRecv", "ncclGroupEnd"}) {
      auto const copy = communicator.split(0, 0);
      machine.nccl.fail(name, ncclInvalidUsage);
      CHECK_THROWS_AS(copy.exchange(executor, group.transfers()), weir::NcclError);
    }
    communicator.exchange(executor, group.transfers());  // no group was left open
    machine.nccl.fail("ncclCommSplit", ncclInternalError);
    CHECK_THROWS_AS(communicator.split(0, 0), weir::NcclError);
  });
}

TEST_CASE("split waits no longer than the deadline") {
  Machine machine(2);
  Signal is_over;
  auto const failures = failures_of_pair(1s, [&](NcclCommunicator const& communicator, CudaExecutor const&) {
    if (communicator.rank() == 1) return is_over.wait();
    CHECK(contains(text_thrown<weir::PeerTimeout>([&] { communicator.split(0, 0); }), "split number 1"));
    is_over.give();
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("a second thread in the same communicator is refused") {
  Machine machine(2);
  Signal is_over;
  failures_of_pair(20s, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    OnDevice const data(executor, std::vector<float>(4, 1.0F));
    if (communicator.rank() == 1) {
      is_over.wait();
      return communicator.all_reduce(executor, data.view());
    }
    std::thread other([&, communicator] {
      std::this_thread::sleep_for(50ms);
      CHECK(contains(
          text_thrown<weir::ContractViolation>([&] { communicator.broadcast(executor, data.view(), 0); }),
          "another thread is in an operation of rank 0"));
      is_over.give();
    });
    communicator.all_reduce(executor, data.view());
    other.join();
    CHECK(data.content() == std::vector<float>(4, 2.0F));
  });
}

TEST_CASE("the last copy ends a communicator within the deadline, and aborts it where a peer is gone") {
  Machine machine(2);
  Signal is_over;
  failures_of_pair(1s, [&](NcclCommunicator const& given, CudaExecutor const& executor) {
    CHECK(given.size() == 2);
    auto communicator = std::make_unique<NcclCommunicator>(given.split(0, given.rank()));
    OnDevice const data(executor, std::vector<float>(4, 1.0F));
    communicator->all_reduce(executor, data.view());
    executor.synchronize();
    if (given.rank() == 1) return is_over.wait();
    communicator->all_reduce(executor, data.view());
    auto const begin = Clock::now();
    communicator.reset();
    CHECK(Clock::now() - begin < 20s);
    executor.synchronize();
    is_over.give();
  });
  CHECK(machine.nccl.inventory().aborted == 1);
}

TEST_CASE("a communicator may be destroyed after its device was reset, and after the driver has gone") {
  {
    stand_in::Session cuda;
    stand_in_nccl::Session nccl;
    failures_of_ranks(1, {1s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      OnDevice const data(executor, std::vector<float>(4, 1.0F));
      communicator.all_reduce(executor, data.view());
      cudaDeviceReset();
    });
    CHECK(nccl.take_violations() == std::vector<std::string>{});
  }
  stand_in::Session cuda;
  stand_in_nccl::Session nccl;
  failures_of_ranks(1, {1s}, [&](NcclCommunicator const&, CudaExecutor const&) {
    cuda.set_driver(stand_in::Driver::unloading);
  });
  CHECK(nccl.take_violations() == std::vector<std::string>{});
}

TEST_CASE("no memory for fingerprints: nothing has changed") {
  Machine machine(1);
  auto const failures =
      failures_of_ranks(1, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        OnDevice const data(executor, std::vector<float>(4, 1.0F));
        machine.cuda.fail("cudaMalloc", 1, cudaErrorMemoryAllocation);
        CHECK_THROWS_AS(communicator.reserve(executor, 100), weir::OutOfMemory);
        communicator.all_reduce(executor, data.view());
        CHECK(data.content() == std::vector<float>(4, 1.0F));
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}
