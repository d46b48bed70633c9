#include "comm/thread_ranks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "weir/comm/threads.hpp"

using namespace std::chrono_literals;
using weir::HostExecutor;
using weir::ThreadCommunicator;
using weir::view;

namespace {

void all_reduce(ThreadCommunicator const& communicator, HostExecutor const& executor, std::size_t count) {
  std::vector<float> data(count, 1.0F);
  communicator.all_reduce(executor, view(data));
  executor.synchronize();
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "a rank that never arrives is a PeerTimeout with operation and sequence on all others, which stays") {
  auto const begin = std::chrono::steady_clock::now();
  auto const ranks = ThreadCommunicator::group(3, {.deadline = 3s});
  auto const failures =
      on_thread_ranks(ranks, [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
        all_reduce(communicator, executor, 100);
        if (communicator.rank() == 1) return;
        try {
          all_reduce(communicator, executor, 100);
          FAIL("rank 1 is missing");
        } catch (weir::PeerTimeout const& error) {
          CHECK(error.operation() == "all_reduce");
          CHECK(error.sequence() == 2);
          CHECK(contains(error.what(), "rank 1 did not take part within 3000 ms"));
        }
        CHECK_THROWS_AS(communicator.poll(0ms), weir::PeerTimeout);
        all_reduce(communicator, executor, 100);
      });
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
  CHECK(is_a<weir::PeerTimeout>(failures[0]));
  CHECK_FALSE(failures[1]);
  CHECK(is_a<weir::PeerTimeout>(failures[2]));
  HostExecutor const late;
  CHECK_THROWS_AS(all_reduce(ranks[1], late, 100), weir::PeerTimeout);
}

TEST_CASE("a message nobody sends is a PeerTimeout") {
  auto const ranks = ThreadCommunicator::group(2, {.deadline = 100ms});
  HostExecutor const executor;
  std::vector<int> data(3);
  weir::TransferGroup<weir::HostSpace> group;
  group.receive(view(data), 1);
  ranks[0].exchange(executor, group.transfers());
  CHECK_THROWS_WITH_AS(executor.synchronize(),
                       "exchange number 1: unfinished after 100 ms: the receive from rank 1;",
                       weir::PeerTimeout);
}

TEST_CASE("abort releases those who wait and those who come later") {
  auto const failures = on_thread_ranks(
      ThreadCommunicator::group(3), [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
        if (communicator.rank() == 2) {
          std::this_thread::sleep_for(30ms);
          communicator.abort();
        }
        all_reduce(communicator, executor, 10);
      });
  for (auto const& failure : failures) CHECK(is_a<weir::PeerAborted>(failure));
}

TEST_CASE("a rank whose handles are gone is not waited for") {
  auto const begin = std::chrono::steady_clock::now();
  auto ranks = ThreadCommunicator::group(2);
  auto const survivor = ranks[0];
  ranks.clear();
  HostExecutor const executor;
  CHECK_THROWS_AS(all_reduce(survivor, executor, 10), weir::PeerAborted);

  auto others = ThreadCommunicator::group(2);
  std::vector<int> data(3);
  weir::TransferGroup<weir::HostSpace> group;
  group.send(view(data), 1);
  others[0].exchange(executor, group.transfers());
  others.pop_back();
  CHECK_THROWS_AS(executor.synchronize(), weir::PeerAborted);
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

TEST_CASE("other shapes are reported on all ranks, with both sides") {
  auto const failures = on_thread_ranks(
      ThreadCommunicator::group(3), [](ThreadCommunicator const& communicator, HostExecutor const& executor) {
        all_reduce(communicator, executor, communicator.rank() == 2 ? 5 : 4);
      });
  for (auto const& failure : failures) {
    CHECK(is_a<weir::FingerprintMismatch>(failure));
    CHECK(contains(text_of(failure), "rank 0 calls all_reduce number 1 of 4 float32 (sum)"));
    CHECK(contains(text_of(failure), "rank 2 calls all_reduce number 1 of 5 float32 (sum)"));
  }
}

TEST_CASE("other types, operators, roots and boundaries are reported on all ranks") {
  auto const all_fail = [](auto const& f) {
    for (auto const& failure : on_thread_ranks(ThreadCommunicator::group(2), f)) {
      CHECK(is_a<weir::FingerprintMismatch>(failure));
    }
  };
  std::array<std::vector<float>, 2> data{std::vector<float>(4), std::vector<float>(4)};
  std::array<std::vector<std::int32_t>, 2> integers{std::vector<std::int32_t>(4),
                                                    std::vector<std::int32_t>(4)};
  all_fail([&](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    if (communicator.rank() == 0) {
      communicator.all_reduce(executor, view(data[0]));
    } else {
      communicator.all_reduce(executor, view(integers[1]));
    }
    executor.synchronize();
  });
  all_fail([&](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    communicator.all_reduce(executor, view(data[communicator.rank()]),
                            communicator.rank() == 0 ? weir::ReduceOp::max : weir::ReduceOp::min);
    executor.synchronize();
  });
  all_fail([&](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    communicator.broadcast(executor, view(data[communicator.rank()]), communicator.rank());
    executor.synchronize();
  });
  all_fail([&](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    std::array<std::vector<std::size_t>, 2> const boundaries{std::vector<std::size_t>{0, 2, 4},
                                                             std::vector<std::size_t>{0, 1, 4}};
    std::vector<float> part(communicator.rank() == 0 ? 2 : 3);
    communicator.reduce_scatter(executor, view(data[communicator.rank()]), view(part), weir::ReduceOp::sum,
                                boundaries[communicator.rank()]);
    executor.synchronize();
  });
  all_fail([&](ThreadCommunicator const& communicator, HostExecutor const& executor) {
    weir::TransferGroup<weir::HostSpace> group;
    if (communicator.rank() == 0) group.send(view(data[0]), 1);
    if (communicator.rank() == 1) group.receive(view(data[1]).part(0, 3), 0);
    communicator.exchange(executor, group.transfers());
    executor.synchronize();
    communicator.all_reduce(executor, view(data[communicator.rank()]));
    executor.synchronize();
  });
}

TEST_CASE("collectives in another order are reported on all ranks, with the last operations") {
  std::mt19937 random(7);
  for (int repetition = 0; repetition < 20; ++repetition) {
    std::size_t const steps = 100;
    std::size_t const place = random() % (steps - 1);
    std::size_t const culprit = random() % 3;
    auto const failures =
        on_thread_ranks(ThreadCommunicator::group(3),
                        [&](ThreadCommunicator const& communicator, HostExecutor const& executor) {
                          std::vector<float> data(steps + 1);
                          for (std::size_t step = 0; step < steps; ++step) {
                            std::size_t own = step;
                            if (communicator.rank() == culprit && step == place) own = step + 1;
                            if (communicator.rank() == culprit && step == place + 1) own = step - 1;
                            communicator.all_reduce(executor, view(data).part(0, own + 1));
                          }
                          executor.synchronize();
                        });
    for (auto const& failure : failures) {
      REQUIRE(is_a<weir::FingerprintMismatch>(failure));
      std::string const text = text_of(failure);
      CHECK(contains(text,
                     "all_reduce number " + std::to_string(place + 1) + " of " + std::to_string(place + 1)));
      CHECK(contains(text,
                     "all_reduce number " + std::to_string(place + 1) + " of " + std::to_string(place + 2)));
      std::string const header = "The last operations of this rank, oldest first:\n";
      REQUIRE(contains(text, header));
      std::string const listed = text.substr(text.find(header) + header.size());
      auto const lines = std::count(listed.begin(), listed.end(), '\n') + 1;
      CHECK(lines == static_cast<std::ptrdiff_t>(std::min<std::size_t>(place + 1, 64)));
      std::string const last = "\n  all_reduce number " + std::to_string(place + 1) + " of ";
      CHECK((place == 0 || contains(listed, last)));
    }
  }
}

TEST_CASE("aborts and destruction at any moment leave nobody behind") {
  for (int repetition = 0; repetition < 60; ++repetition) {
    auto const failures =
        on_thread_ranks(ThreadCommunicator::group(3, {.deadline = 20s}),
                        [&](ThreadCommunicator& communicator, HostExecutor const& executor) {
                          std::vector<float> data(4'000, 1.0F);
                          for (int step = 0; step < 20; ++step) {
                            communicator.all_reduce(executor, view(data));
                            if (communicator.rank() == 1 && step == repetition % 20) {
                              for (int turn = 0; turn < repetition; ++turn) std::this_thread::yield();
                              if (repetition % 3 == 0) communicator.abort();
                              if (repetition % 3 != 2) break;
                            }
                          }
                          executor.synchronize();
                        });
    for (auto const& failure : failures) CHECK((!failure || is_a<weir::PeerAborted>(failure)));
  }
}
