// A sum over ranks in one process, beside a plain copy of what it has to read and write (every rank reads and
// writes its vector once), and beside what a trainer would write instead: a shared sum behind a mutex,
// between barriers.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "host/copy_roof.hpp"
#include "weir/comm/threads.hpp"
#include "weir/host/executor.hpp"

namespace {

/// As many vectors per rank as no cache keeps, used in turn.
class Vectors {
 public:
  Vectors(std::size_t ranks, std::size_t count)
      : sets_(std::clamp<std::size_t>((std::size_t{256} << 20) / (ranks * count * sizeof(float)), 1, 64)),
        data_(ranks, std::vector<std::vector<float>>(sets_, std::vector<float>(count, 0.0F))) {}

  void next() { turn_ = (turn_ + 1) % sets_; }
  std::vector<float>& of(std::size_t rank) { return data_[rank][turn_]; }

 private:
  std::size_t sets_;
  std::size_t turn_ = 0;
  std::vector<std::vector<std::vector<float>>> data_;  // by rank and turn
};

/// A thread per rank. Each adds its vector to a shared one, and then copies that.
class MutexAllReduce {
 public:
  MutexAllReduce(std::size_t ranks, std::size_t count, Vectors& vectors)
      : vectors_(vectors), sum_(count), everybody_(static_cast<std::ptrdiff_t>(ranks + 1)) {
    for (std::size_t rank = 0; rank < ranks; ++rank) threads_.emplace_back([this, rank] { work(rank); });
  }
  ~MutexAllReduce() {
    stop_ = true;
    everybody_.arrive_and_wait();
    for (auto& thread : threads_) thread.join();
  }

  void run() {
    std::fill(sum_.begin(), sum_.end(), 0.0F);
    for (int phase = 0; phase < 3; ++phase) everybody_.arrive_and_wait();
  }

 private:
  void work(std::size_t rank) {
    for (;;) {
      everybody_.arrive_and_wait();
      if (stop_) return;
      auto& mine = vectors_.of(rank);
      {
        std::lock_guard const lock(mutex_);
        for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += mine[i];
      }
      everybody_.arrive_and_wait();
      std::copy(sum_.begin(), sum_.end(), mine.begin());
      everybody_.arrive_and_wait();
    }
  }

  Vectors& vectors_;
  std::vector<float> sum_;
  std::mutex mutex_;
  std::barrier<> everybody_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

void all_reduce(benchmark::State& state) {
  auto const ranks = static_cast<std::size_t>(state.range(0));
  std::size_t const bytes = static_cast<std::size_t>(state.range(1));
  std::size_t const count = bytes / sizeof(float);
  auto const group = weir::ThreadCommunicator::group(ranks);
  std::vector<weir::HostExecutor> const streams = [&] {
    std::vector<weir::HostExecutor> made;
    for (std::size_t rank = 0; rank < ranks; ++rank) made.emplace_back();
    return made;
  }();
  Vectors vectors(ranks, count);
  MutexAllReduce by_mutex(ranks, count, vectors);
  weir::ThreadTeam team(ranks);
  auto const ours = [&] {
    vectors.next();
    for (std::size_t rank = 0; rank < ranks; ++rank)
      group[rank].all_reduce(streams[rank], weir::view(vectors.of(rank)));
    for (auto const& stream : streams) stream.synchronize();
  };
  auto const theirs = [&] {
    vectors.next();
    by_mutex.run();
  };
  in_turns(state, team, ranks * bytes, 2 * ranks * bytes, ours, {{"mutex/ours", theirs}});
}

BENCHMARK(all_reduce)
    ->ArgNames({"ranks", "bytes"})
    ->ArgsProduct({{2, 4}, {8, 4'096, 65'536, 1 << 20, 25 << 20}})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
