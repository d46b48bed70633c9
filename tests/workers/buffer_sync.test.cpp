#include "weir/workers/buffer_sync.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/host/executor.hpp"

namespace {

/// Two workers, with running means and a counter each.
struct Buffers {
  std::vector<float> means[2];
  std::vector<std::int64_t> counters[2];

  explicit Buffers(float first) { set(first); }
  void set(float first) {
    for (std::size_t worker = 0; worker < 2; ++worker) {
      means[worker].assign(5, first + static_cast<float>(worker));
      counters[worker].assign(1, static_cast<std::int64_t>(10 * first) + static_cast<std::int64_t>(worker));
    }
  }
  auto float_views() { return std::vector{weir::view(means[0]), weir::view(means[1])}; }
  auto integer_views() { return std::vector{weir::view(counters[0]), weir::view(counters[1])}; }
};

/// What a device offers to `BufferSync`, without one: nothing of it is called before the call is refused.
struct Device {
  using memory_space = weir::DeviceSpace;
  using stream_type = int;
  struct event_type {};

  int stream() const { return 0; }
  event_type make_event() const { return {}; }
  template <class Function>
  void submit(Function&&) const {}
  void record(event_type const&) const {}
  void wait(event_type const&) const {}
  void synchronize(event_type const&) const {}
  void synchronize() const {}
  Device fork() const { return {}; }
  void* allocate(std::size_t) const { return nullptr; }
  void deallocate(void*, std::size_t) const noexcept {}
};
template <class Element>
using DeviceView = weir::TensorView<Element, weir::DeviceSpace>;
template <class Element>
void set_zero(Device const&, DeviceView<Element>) {}
template <class Element>
void copy(Device const&, DeviceView<Element const>, DeviceView<Element>) {}
template <class Element>
void add_scaled(Device const&, DeviceView<Element const>, Element, DeviceView<Element>) {}

struct OneOfTwo {
  std::size_t rank() const { return 0; }
  std::size_t size() const { return 2; }
  void reserve(Device const&, std::size_t) const {}
  template <class Element>
  void all_reduce(Device const&, DeviceView<Element>) const {}
  template <class Element>
  void broadcast(Device const&, DeviceView<Element>, std::size_t) const {}
};

/// The means of each rank's worker 0, one rank after another, after three averages weighted by `samples`.
std::vector<float> averaged(std::vector<std::vector<std::size_t>> const& samples, bool total_is_known) {
  std::size_t total = 0;
  for (auto const& counts : samples) total += counts[0] + counts[1];
  std::vector<std::vector<float>> found(samples.size());
  on_ranks(samples.size(), [&](weir::ThreadCommunicator const& communicator) {
    std::size_t const rank = communicator.rank();
    Buffers buffers(0.7f + 3.1f * static_cast<float>(rank));
    weir::HostExecutor const executor;
    weir::BufferSync sync(executor, communicator, weir::BufferPolicy::average, buffers.float_views());
    for (int call = 0; call < 3; ++call) {
      // Enqueued without waiting: what one call counts must not reach another.
      sync(executor, {call == 1 ? 5 : samples[rank][0], call == 1 ? 5 : samples[rank][1]},
           total_is_known ? (call == 1 ? 10 * samples.size() : total) : 0);
      executor.submit([&buffers] { buffers.means[1].assign(5, buffers.means[0][0] + 1.5f); });
    }
    executor.synchronize();
    found[rank] = buffers.means[0];
  });
  std::vector<float> all;
  for (auto const& means : found) all.insert(all.end(), means.begin(), means.end());
  return all;
}

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

TEST_CASE("Ranks that know only their own samples average as if they knew all") {
  using Counts = std::vector<std::vector<std::size_t>>;
  for (Counts const& counts : {Counts{{8, 3}}, Counts{{8, 3}, {0, 5}}, Counts{{0, 0}, {1, 6}}}) {
    auto const unknown = averaged(counts, false);
    CHECK(same_bits(unknown, averaged(counts, true)));
    for (float mean : unknown) CHECK(mean == unknown[0]);
  }
}

TEST_CASE("Buffers stay as they are where nobody has counted a sample, and the ranks still agree") {
  for (std::size_t ranks : {1u, 2u}) {
    on_ranks(ranks, [](weir::ThreadCommunicator const& communicator) {
      float const first = static_cast<float>(communicator.rank()) + 1.0f;
      Buffers buffers(first);
      weir::HostExecutor const executor;
      weir::BufferSync sync(executor, communicator, weir::BufferPolicy::average, buffers.float_views(),
                            buffers.integer_views());
      sync(executor, {0, 0}, 0);
      executor.synchronize();
      CHECK(buffers.means[0] == std::vector<float>(5, first));
      CHECK(buffers.means[1] == std::vector<float>(5, first + 1.0f));
      CHECK(buffers.counters[1][0] == 10);
    });
  }
}

TEST_CASE("Buffers of a worker without samples may hold anything, and get the average too") {
  for (bool total_is_known : {true, false}) {
    for (float anything : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
        bool const is_first = communicator.rank() == 0;
        Buffers buffers(1.0f);
        buffers.means[is_first ? 1 : 0].assign(5, anything);
        weir::HostExecutor const executor;
        weir::BufferSync sync(executor, communicator, weir::BufferPolicy::average, buffers.float_views());
        std::vector<std::size_t> const samples =
            is_first ? std::vector<std::size_t>{8, 0} : std::vector<std::size_t>{0, 24};
        sync(executor, samples, total_is_known ? 32 : 0);
        executor.synchronize();
        for (auto const& means : buffers.means) CHECK(means == std::vector<float>(5, 1.75f));
      });
    }
  }
}

TEST_CASE("On a device the samples of other ranks have to be told") {
  float memory[2] = {};
  weir::BufferSync sync(Device{}, OneOfTwo{}, weir::BufferPolicy::average,
                        std::vector{DeviceView<float>(memory, 2)});
  CHECK_THROWS_WITH_AS(sync(Device{}, {3}, 0), doctest::Contains("on a device they have to be told"),
                       weir::ContractViolation);
  CHECK_NOTHROW(sync(Device{}, {3}, 7));
}

TEST_CASE("New workers get the buffers of worker 0, whatever the policy, and take part from then on") {
  for (auto const policy :
       {weir::BufferPolicy::none, weir::BufferPolicy::from_main, weir::BufferPolicy::average}) {
    for (std::size_t ranks : {1u, 2u}) {
      on_ranks(ranks, [&](weir::ThreadCommunicator const& communicator) {
        float const first = static_cast<float>(communicator.rank()) + 1.0f;
        Buffers old(first), added(99.0f);
        weir::HostExecutor const executor;
        weir::BufferSync sync(executor, communicator, policy, old.float_views(), old.integer_views());
        auto floats = old.float_views();
        auto integers = old.integer_views();
        for (std::size_t worker = 0; worker < 2; ++worker) {
          floats.push_back(added.float_views()[worker]);
          integers.push_back(added.integer_views()[worker]);
        }
        sync.resize(executor, floats, integers);
        executor.synchronize();
        CHECK(old.means[1] == std::vector<float>(5, first + 1.0f));
        for (std::size_t worker = 0; worker < 2; ++worker) {
          CHECK(added.means[worker] == old.means[0]);
          CHECK(added.counters[worker] == old.counters[0]);
        }

        sync(executor, {1, 1, 1, 5}, 0);
        executor.synchronize();
        float const mean_here = (7 * first + 1 * (first + 1.0f)) / 8;
        float const mean = ranks == 1 ? mean_here : mean_here + (communicator.rank() == 0 ? 0.5f : -0.5f);
        float const last = policy == weir::BufferPolicy::none        ? first
                           : policy == weir::BufferPolicy::from_main ? 1.0f
                                                                     : mean;
        CHECK(added.means[1] == std::vector<float>(5, last));

        // Fewer workers: nothing is copied, and the one that is gone is not written any more.
        added.set(99.0f);
        sync.resize(executor, {floats[0]}, {integers[0]});
        sync(executor, {4}, 4 * ranks);
        executor.synchronize();
        CHECK(added.means[0] == std::vector<float>(5, 99.0f));
      });
    }
  }
}

TEST_CASE("A resize to buffers of another size or to no worker is refused, with nothing changed") {
  weir::HostExecutor const executor;
  Buffers buffers(1.0f);
  std::vector<float> longer(6), fitting(5);
  weir::BufferSync sync(executor, weir::SelfCommunicator{}, weir::BufferPolicy::from_main,
                        buffers.float_views(), buffers.integer_views());
  CHECK_THROWS_WITH_AS(
      sync.resize(executor, {weir::view(fitting), weir::view(longer)}, buffers.integer_views()),
      doctest::Contains("a worker has 6 elements, worker 0 has 5"), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(sync.resize(executor, {}, buffers.integer_views()),
                       doctest::Contains("from buffers of 2 workers to those of 0"), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(sync.resize(executor, buffers.float_views()),
                       doctest::Contains("from buffers of 2 workers to those of 0"), weir::ContractViolation);
  CHECK(fitting == std::vector<float>(5));
  sync(executor, {1, 1}, 2);
  executor.synchronize();
  CHECK(buffers.means[1] == buffers.means[0]);
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
