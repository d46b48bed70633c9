#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/core/file_replacement.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/trace/lane.hpp"
#include "weir/trace/text.hpp"

namespace weir::inline v1 {

namespace detail {

inline std::string chrome_label(char const* kind, Lane const& lane, std::int32_t thread,
                                std::string const& name) {
  return std::string("{\"ph\":\"M\",\"name\":\"") + kind + "\",\"pid\":" + std::to_string(lane.rank) +
         ",\"tid\":" + std::to_string(thread) + ",\"args\":{\"name\":\"" + name + "\"}}";
}

inline std::string chrome_event(Span const& span, std::int32_t thread, std::int64_t start) {
  std::string text = "{\"ph\":\"X\",\"name\":\"" + json_text(span.name) + "\",\"cat\":\"" +
                     json_text(*span.category != '\0' ? span.category : span.name) +
                     "\",\"ts\":" + decimal(span.begin - start, 3) +
                     ",\"dur\":" + decimal(length_of(span), 3) + ",\"pid\":" + std::to_string(span.rank) +
                     ",\"tid\":" + std::to_string(thread) +
                     ",\"args\":{\"step\":" + std::to_string(span.step);
  if (span.bucket >= 0) text += ",\"bucket\":" + std::to_string(span.bucket);
  if (span.micro_batch >= 0) text += ",\"micro_batch\":" + std::to_string(span.micro_batch);
  return text + "}}";
}

}  // namespace detail

/// The spans as a trace for Perfetto or chrome://tracing: a process for each rank, a thread for each worker
/// (its index) and, after the workers, one for the stream of the sums. Time starts with the first span.
///
/// Units: microseconds.
inline std::string chrome_trace(std::span<Span const> spans) {
  std::vector<detail::Lane> const lanes = detail::lanes_of(spans);
  std::int32_t workers = 0;
  for (detail::Lane const& lane : lanes) {
    if (lane.lane >= workers) workers = lane.lane + 1;
  }
  // Viewers take no negative thread.
  auto const thread_of = [&](detail::Lane const& lane) { return lane.is_reduce() ? workers : lane.lane; };

  std::string events;
  auto const add = [&](std::string const& event) { events += (events.empty() ? "\n" : ",\n") + event; };
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    detail::Lane const& lane = lanes[i];
    if (i == 0 || lanes[i - 1].rank != lane.rank) {
      add(detail::chrome_label("process_name", lane, thread_of(lane), "rank " + std::to_string(lane.rank)));
    }
    add(detail::chrome_label("thread_name", lane, thread_of(lane), lane.name()));
  }
  std::int64_t const start = detail::extent_of(spans).begin;
  for (Span const& span : spans) add(detail::chrome_event(span, thread_of(detail::lane_of(span)), start));
  return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[" + events + "\n]}\n";
}

/// Writes such a trace to a file.
///
/// Errors: FileError; then no file, or the old one, is there.
inline void write_chrome(std::string const& path, std::span<Span const> spans) {
  FileReplacement file{path};
  file.write(chrome_trace(spans));
  file.commit();
}

}  // namespace weir::inline v1
