#pragma once

#include <cstdint>
#include <ctime>

namespace weir::inline v1 {

/// The time on a clock that never goes back and is the same in all threads. Units: nanoseconds.
inline std::int64_t now() noexcept {
  // std::chrono::steady_clock reads the same clock, but <chrono> alone is more to compile than this library.
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// A piece of work that was done, and when. A bucket or micro-batch that it has not is -1.
///
/// Units: nanoseconds, as `now()` gives them.
struct Span {
  static constexpr std::int32_t reduce_lane = -1;

  char const* name = "";      ///< what was done; lives at least as long as the sink, as a literal does
  char const* category = "";  ///< kind of work, the colour in a drawing; if empty, the name is; lives as long
  std::int32_t rank = 0;
  std::int32_t lane = reduce_lane;  ///< index of the worker, or `reduce_lane` for the stream of the sums
  std::int32_t bucket = -1;
  std::int32_t micro_batch = -1;
  std::uint64_t step = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Where a bound recipe reports its work, when it was given one.
class SpanSink {
 public:
  virtual ~SpanSink() = default;

  /// The work of a span begins on the thread that calls, which will `record` it; its times are not known yet.
  virtual void begin(Span const& /*span*/) noexcept {}

  /// Streams: may be called from any thread, by several at once; does not block for long and does not
  /// allocate.
  virtual void record(Span const& span) noexcept = 0;

 protected:
  SpanSink() = default;
  SpanSink(SpanSink const&) = default;
  SpanSink& operator=(SpanSink const&) = default;
};

}  // namespace weir::inline v1
