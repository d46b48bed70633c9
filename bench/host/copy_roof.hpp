#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "weir/host/thread_team.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// What a verb is held against: a plain copy with the same threads, interleaved with it so that both see the
/// same machine. It goes round several arrays, so that no cache has kept what it copies, and is the better of
/// std::memcpy and stores that pass by the caches. Of both, the verb and the copy, the fastest run counts,
/// the one that was least disturbed.
class CopyRoof {
 public:
  CopyRoof(weir::ThreadTeam& team, std::size_t bytes)
      : team_(team), part_((bytes / team.size() + 63) & ~std::size_t{63}), bytes_(bytes) {
    for (auto& array : arrays_) array.resize((bytes + sizeof(Line)) / sizeof(Line), Line{});
  }

  void run() {
    for (auto copy :
         {+[](std::byte*to, std::byte const*from, std::size_t bytes) { std::memcpy(to, from, bytes); },
          &stream}) {
      fastest_ = std::min(fastest_, seconds_of(copy));
    }
  }

  /// Bytes read and written in a second.
  double bandwidth() const { return 2.0 * static_cast<double>(bytes_) / fastest_; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  static void stream(std::byte* to, std::byte const* from, std::size_t bytes) {
#if defined(__SSE2__)
    std::size_t i = 0;
    for (; i + 16 <= bytes; i += 16) {
      _mm_stream_ps(reinterpret_cast<float*>(to + i), _mm_loadu_ps(reinterpret_cast<float const*>(from + i)));
    }
    std::memcpy(to + i, from + i, bytes - i);
    _mm_sfence();
#else
    std::memcpy(to, from, bytes);
#endif
  }

  template <class Copy>
  double seconds_of(Copy copy) {
    turn_ = (turn_ + 2) % arrays;
    auto const* const from = reinterpret_cast<std::byte const*>(arrays_[turn_].data());
    auto* const to = reinterpret_cast<std::byte*>(arrays_[turn_ + 1].data());
    auto const start = std::chrono::steady_clock::now();
    team_.run(team_.size(), [&](std::size_t index) {
      std::size_t const begin = std::min(bytes_, index * part_);
      copy(to + begin, from + begin, std::min(bytes_, begin + part_) - begin);
    });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  static constexpr std::size_t arrays = 4;
  weir::ThreadTeam& team_;
  std::size_t part_;
  std::size_t bytes_;
  std::vector<Line> arrays_[arrays];
  std::size_t turn_ = 0;
  double fastest_ = 1e9;
};

/// What a user would write instead.
struct Peer {
  char const* name;
  std::function<void()> run;
};

inline double seconds_of(std::function<void()> const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times `work`, which moves `bytes` bytes, in turns with a copy of `copied` bytes by the team and with its
/// peers. The counter of a peer is how many times as long as `work` it takes.
inline void in_turns(benchmark::State& state, weir::ThreadTeam& team, std::size_t copied, std::size_t bytes,
                     std::function<void()> const& work, std::vector<Peer> const& peers) {
  CopyRoof roof(team, copied);
  work();
  for (Peer const& peer : peers) peer.run();
  roof.run();
  double fastest = 1e9;
  std::vector<double> of_peers(peers.size(), 1e9);
  for (auto _ : state) {
    roof.run();
    double const elapsed = seconds_of(work);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      roof.run();  // each finds the caches as cold as the others do
      of_peers[i] = std::min(of_peers[i], seconds_of(peers[i].run));
    }
    state.SetIterationTime(elapsed);
    fastest = std::min(fastest, elapsed);
  }
  double const bandwidth = static_cast<double>(bytes) / fastest;
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * static_cast<std::int64_t>(state.iterations()));
  state.counters["of_copy"] = bandwidth / roof.bandwidth();
  state.counters["copy_GB_per_second"] = roof.bandwidth() / 1e9;
  for (std::size_t i = 0; i < peers.size(); ++i) state.counters[peers[i].name] = of_peers[i] / fastest;
}

/// Times `enqueue`, which moves `bytes` bytes on the executor, beside the copy and its peers.
template <class Executor, class Enqueue>
void against_copy(benchmark::State& state, Executor const& executor, std::size_t copied, std::size_t bytes,
                  Enqueue const& enqueue, std::vector<Peer> const& peers = {}) {
  auto const work = [&] {
    enqueue();
    executor.synchronize();
  };
  in_turns(state, executor.team(), copied, bytes, work, peers);
}

/// One thread, and all that the machine has.
inline void thread_counts(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("threads")->Arg(1);
  if (std::thread::hardware_concurrency() > 1) benchmark->Arg(std::thread::hardware_concurrency());
  benchmark->UseManualTime()->Unit(benchmark::kMillisecond);
}
