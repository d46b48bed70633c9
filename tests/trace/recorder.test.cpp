#include "weir/trace/recorder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "weir/core/error.hpp"

namespace {

weir::Span span_at(std::int64_t begin, std::int64_t end) {
  return {.name = "work", .begin = begin, .end = end};
}

}  // namespace

TEST_CASE("a snapshot is ordered by begin, the longer first, the earlier recorded before the later") {
  weir::Recorder recorder{10};
  recorder.record(span_at(30, 40));
  recorder.record(span_at(10, 12));
  recorder.record(span_at(10, 90));
  recorder.record({.name = "same", .lane = 1, .begin = 10, .end = 12});
  std::vector<weir::Span> const spans = recorder.snapshot();
  REQUIRE(spans.size() == 4);
  CHECK(spans[0].end == 90);
  CHECK(spans[1].lane == weir::Span::reduce_lane);
  CHECK(spans[2].lane == 1);
  CHECK(spans[3].begin == 30);
  CHECK(recorder.snapshot().size() == 4);
}

TEST_CASE("a full recorder overwrites the oldest and counts what was dropped") {
  weir::Recorder recorder{3};
  CHECK(recorder.snapshot().empty());
  for (int i = 0; i < 3; ++i) recorder.record(span_at(i, i + 1));
  CHECK(recorder.dropped() == 0);
  for (int i = 3; i < 8; ++i) recorder.record(span_at(i, i + 1));
  CHECK(recorder.dropped() == 5);
  CHECK(recorder.capacity() == 3);
  std::vector<weir::Span> const spans = recorder.snapshot();
  REQUIRE(spans.size() == 3);
  for (int i = 0; i < 3; ++i) CHECK(spans[static_cast<std::size_t>(i)].begin == 5 + i);

  recorder.clear();
  CHECK(recorder.snapshot().empty());
  CHECK(recorder.dropped() == 0);
}

TEST_CASE("a recorder without room is refused") {
  CHECK_THROWS_AS(weir::Recorder{0}, weir::ContractViolation);
}

TEST_CASE("threads record at once, while another looks, and nothing is lost or torn") {
  constexpr int threads = 6;
  constexpr int each = 4'000;
  weir::Recorder recorder{threads * each / 2};
  std::atomic<bool> is_done = false;
  std::atomic<bool> is_torn = false;
  auto const look = [&] {
    for (weir::Span const& span : recorder.snapshot()) {
      if (span.end != 2 * span.begin + span.lane || span.bucket != span.lane) is_torn = true;
    }
  };
  std::thread watcher{[&] {
    while (!is_done) look();
  }};
  std::vector<std::thread> workers;
  for (int lane = 0; lane < threads; ++lane) {
    workers.emplace_back([&recorder, lane] {
      for (std::int64_t i = 0; i < each; ++i) {
        recorder.record({.name = "work", .lane = lane, .bucket = lane, .begin = i, .end = 2 * i + lane});
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  is_done = true;
  watcher.join();
  look();
  CHECK_FALSE(is_torn);
  CHECK(recorder.snapshot().size() == threads * each / 2);
  CHECK(recorder.dropped() == threads * each / 2);
}
