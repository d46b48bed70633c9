#include "weir/workers/buffer_sync.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/host/executor.hpp"

namespace {

/// Two workers, with running means and a counter each.
struct Buffers {
  std::vector<float> means[2];
  std::vector<std::int64_t> counters[2];

  explicit Buffers(float first) {
    for (std::size_t worker = 0; worker < 2; ++worker) {
      means[worker].assign(5, first + static_cast<float>(worker));
      counters[worker].assign(1, static_cast<std::int64_t>(10 * first) + static_cast<std::int64_t>(worker));
    }
  }
  auto float_views() { return std::vector{weir::view(means[0]), weir::view(means[1])}; }
  auto integer_views() { return std::vector{weir::view(counters[0]), weir::view(counters[1])}; }
};

}  // namespace

TEST_CASE("Averages of buffers are weighted by samples, integers come from the main worker") {
  std::size_t const samples[2][2] = {{8, 3}, {0, 5}};
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    std::size_t const rank = communicator.rank();
    Buffers buffers(rank == 0 ? 1.0f : 4.0f);
    weir::HostExecutor const executor;
    weir::BufferSync sync(executor, communicator, weir::BufferPolicy::average, buffers.float_views(),
                          buffers.integer_views());
    sync(executor, {samples[rank][0], samples[rank][1]}, 16);
    executor.synchronize();
    float const mean = (8 * 1.0f + 3 * 2.0f + 0 * 4.0f + 5 * 5.0f) / 16;
    for (std::size_t worker = 0; worker < 2; ++worker) {
      CHECK(buffers.means[worker] == std::vector<float>(5, mean));
      CHECK(buffers.counters[worker] == std::vector<std::int64_t>{10});
    }
  });
}

TEST_CASE("Buffers from main are those of worker 0 of rank 0, and none are left alone") {
  for (auto const policy : {weir::BufferPolicy::from_main, weir::BufferPolicy::none}) {
    on_ranks(3, [&](weir::ThreadCommunicator const& communicator) {
      float const first = static_cast<float>(communicator.rank()) + 1.0f;
      Buffers buffers(first);
      weir::HostExecutor const executor;
      weir::BufferSync sync(executor, communicator, policy, buffers.float_views(), buffers.integer_views());
      sync(executor, {1, 1}, 6);
      executor.synchronize();
      bool const is_spread = policy == weir::BufferPolicy::from_main;
      CHECK(buffers.means[1] == std::vector<float>(5, is_spread ? 1.0f : first + 1.0f));
      CHECK(buffers.counters[0][0] == (is_spread ? 10 : static_cast<std::int64_t>(10 * first)));
    });
  }
}

TEST_CASE("Workers whose buffers differ in size are refused") {
  weir::HostExecutor const executor;
  std::vector<float> one(3), two(4);
  CHECK_THROWS_WITH_AS((weir::BufferSync<weir::HostExecutor, weir::SelfCommunicator>(
                           executor, weir::SelfCommunicator{}, weir::BufferPolicy::average,
                           std::vector{weir::view(one), weir::view(two)})),
                       doctest::Contains("a worker has 4 elements, worker 0 has 3"), weir::ContractViolation);
}
