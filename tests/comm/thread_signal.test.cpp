#include "weir/comm/thread_signal.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using weir::detail::ThreadSignal;

TEST_CASE("the first failure stays") {
  ThreadSignal signal(2);
  CHECK_NOTHROW(signal.check());
  signal.abort(1);
  {
    auto const lock = signal.lock();
    signal.fail_mismatch("too late");
  }
  CHECK_THROWS_WITH_AS(signal.check(), "rank 1 has failed or left; the communicator is unusable",
                       weir::PeerAborted);
}

TEST_CASE("a wait ends with its condition, with a failure, or at its end") {
  ThreadSignal signal(2);
  std::atomic<bool> is_over = false;
  std::thread other([&] {
    std::this_thread::sleep_for(20ms);
    auto const lock = signal.lock();
    is_over = true;
    signal.change();
  });
  auto lock = signal.lock();
  signal.wait(lock, std::chrono::steady_clock::now() + 1h, [&] { return is_over.load(); });
  CHECK(is_over);
  other.join();
  auto const begin = std::chrono::steady_clock::now();
  signal.wait(lock, begin + 20ms, [] { return false; });
  CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
  signal.fail_aborted(0);
  signal.wait(lock, begin + 1h, [] { return false; });
  CHECK(signal.is_failed());
}

TEST_CASE("departures are seen without a lock") {
  ThreadSignal signal(2);
  CHECK_FALSE(signal.somebody_is_gone());
  signal.depart(1);
  CHECK(signal.somebody_is_gone());
  auto const lock = signal.lock();
  CHECK(signal.is_gone(1));
  CHECK_FALSE(signal.is_gone(0));
}
