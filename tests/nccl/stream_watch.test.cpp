#include "weir/nccl/stream_watch.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "support/cuda/clean_session.hpp"
#include "weir/cuda/stream.hpp"

using namespace std::chrono_literals;
using weir::detail::StreamWatch;
using State = StreamWatch::State;

namespace {

weir::Fingerprint number(std::uint64_t sequence) {
  weir::Fingerprint fingerprint;
  fingerprint.sequence = sequence;
  return fingerprint;
}

/// A stream with operations that end when they are told to.
struct Watched {
  Watched(std::size_t capacity = 4) : stream(0), watch(0, capacity) {}

  ~Watched() {
    ended = 1'000'000;
    cudaStreamSynchronize(stream.handle());
  }

  void enqueue(std::uint64_t sequence) {
    watch.begin(stream.handle(), number(sequence));
    stand_in::launch_attempt(stream.handle(), "collective", {},
                             [this, sequence] { return ended >= sequence; });
    watch.end(stream.handle());
  }

  /// After the stream has got as far as it can.
  State look(StreamWatch::Clock::time_point now, std::chrono::milliseconds deadline = 100ms) {
    for (int turn = 0; turn < 200; ++turn) cudaStreamQuery(stream.handle());
    return watch.look(now, deadline);
  }

  CleanSession session;
  weir::CudaStream stream;
  StreamWatch watch;
  std::atomic<std::uint64_t> ended = 0;
  StreamWatch::Clock::time_point const start = StreamWatch::Clock::now();
};

}  // namespace

TEST_CASE("nothing enqueued is idle, and so is what has ended") {
  Watched it;
  CHECK(it.look(it.start) == State::idle);
  it.enqueue(1);
  CHECK(it.look(it.start) == State::busy);
  it.ended = 1;
  CHECK(it.look(it.start) == State::idle);
}

TEST_CASE("time counts from when an operation is first seen to have begun, for each anew") {
  Watched it;
  stand_in::launch_attempt(it.stream.handle(), "kernel", {}, [&] { return it.ended >= 1; });
  it.enqueue(2);
  it.enqueue(3);
  CHECK(it.look(it.start) == State::busy);
  CHECK(it.look(it.start + 10h) == State::busy);
  it.ended = 1;
  CHECK(it.look(it.start + 10h) == State::busy);
  CHECK(it.look(it.start + 10h + 99ms) == State::busy);
  CHECK(it.look(it.start + 10h + 100ms) == State::overdue);
  CHECK(it.watch.oldest() == number(2));
  it.ended = 2;
  CHECK(it.look(it.start + 20h) == State::busy);
  CHECK(it.look(it.start + 20h + 100ms) == State::overdue);
  CHECK(it.watch.oldest() == number(3));
}

TEST_CASE("what does not fit the ring is watched with the latest, and given time for each") {
  Watched it(2);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) it.enqueue(sequence);
  it.ended = 1;
  CHECK(it.look(it.start) == State::busy);  // 2 to 5 together
  CHECK(it.watch.oldest() == number(2));
  CHECK(it.look(it.start + 399ms) == State::busy);
  CHECK(it.look(it.start + 400ms) == State::overdue);
  it.ended = 4;
  CHECK(it.look(it.start) == State::busy);
  it.ended = 5;
  CHECK(it.look(it.start) == State::idle);
  it.enqueue(6);
  CHECK(it.look(it.start) == State::busy);
  CHECK(it.watch.oldest() == number(6));
  CHECK(it.look(it.start + 100ms) == State::overdue);
  it.ended = 6;
  CHECK(it.look(it.start) == State::idle);
}

TEST_CASE("what is being enqueued is not over") {
  Watched it;
  it.watch.begin(it.stream.handle(), number(1));
  CHECK(it.look(it.start) == State::busy);
  CHECK(it.look(it.start + 100ms) == State::overdue);
  it.watch.end(it.stream.handle());
  CHECK(it.look(it.start + 200ms) == State::idle);
}

TEST_CASE("events are made once") {
  Watched it(8);
  auto const before = it.session.inventory();
  CHECK(before.events == 16);
  it.ended = 1'000;
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) it.enqueue(sequence);
  CHECK(it.look(it.start) == State::idle);
  CHECK(it.session.inventory() == before);
}
