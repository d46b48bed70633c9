#include "weir/exec/span_sink.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

class Spans final : public weir::SpanSink {
 public:
  void record(weir::Span const& span) noexcept override { last = span; }

  weir::Span last;
};

static_assert(std::is_trivially_copyable_v<weir::Span> && std::has_virtual_destructor_v<weir::SpanSink>);

}  // namespace

TEST_CASE("a sink gets a span as it was reported") {
  Spans spans;
  weir::SpanSink& sink = spans;
  sink.record({.name = "AllReduce",
               .category = "communicate",
               .rank = 2,
               .bucket = 3,
               .step = 4,
               .begin = 5,
               .end = 9});
  CHECK(spans.last.name == std::string_view{"AllReduce"});
  CHECK(spans.last.category == std::string_view{"communicate"});
  CHECK(spans.last.rank == 2);
  CHECK(spans.last.lane == weir::Span::reduce_lane);
  CHECK(spans.last.bucket == 3);
  CHECK(spans.last.micro_batch == -1);
  CHECK(spans.last.step == 4);
  CHECK(spans.last.end - spans.last.begin == 4);
}

TEST_CASE("the clock never goes back, is the same in all threads, and counts nanoseconds") {
  std::int64_t last = weir::now();
  for (int i = 0; i < 1'000; ++i) {
    std::int64_t const time = weir::now();
    REQUIRE(time >= last);
    last = time;
  }
  std::int64_t elsewhere = 0;
  std::int64_t const before = weir::now();
  std::thread{[&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    elsewhere = weir::now();
  }}.join();
  CHECK(elsewhere - before >= 20'000'000);
  CHECK(elsewhere <= weir::now());
}
