#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weir/exec/span_sink.hpp"

namespace weir::inline v1::detail {

/// A row of a timeline.
struct Lane {
  std::int32_t rank;
  std::int32_t lane;

  bool is_reduce() const { return lane == Span::reduce_lane; }
  std::string name() const { return is_reduce() ? "reduce" : "worker " + std::to_string(lane); }

  friend bool operator==(Lane const&, Lane const&) = default;
  /// By rank; the workers of a rank first, then the stream that sums them.
  friend std::strong_ordering operator<=>(Lane const& left, Lane const& right) {
    if (left.rank != right.rank) return left.rank <=> right.rank;
    return static_cast<std::uint32_t>(left.lane) <=> static_cast<std::uint32_t>(right.lane);
  }
};

inline Lane lane_of(Span const& span) {
  return {span.rank, span.lane};
}

/// The place of a lane among lanes in order, or the place it would take.
inline std::size_t lane_position(std::vector<Lane> const& lanes, Lane const& lane) {
  std::size_t position = 0;
  while (position < lanes.size() && lanes[position] < lane) ++position;
  return position;
}

/// The lanes that occur, in order.
inline std::vector<Lane> lanes_of(std::span<Span const> spans) {
  std::vector<Lane> lanes;
  for (Span const& span : spans) {
    std::size_t const position = lane_position(lanes, lane_of(span));
    if (position < lanes.size() && lanes[position] == lane_of(span)) continue;
    lanes.insert(lanes.begin() + static_cast<std::ptrdiff_t>(position), lane_of(span));
  }
  return lanes;
}

inline std::int64_t length_of(Span const& span) {
  return span.end > span.begin ? span.end - span.begin : 0;
}

/// From when to when.
struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

inline Interval extent_of(std::span<Span const> spans) {
  if (spans.empty()) return {};
  Interval extent{spans.front().begin, spans.front().begin};
  for (Span const& span : spans) {
    std::int64_t const end = span.begin + length_of(span);
    if (span.begin < extent.begin) extent.begin = span.begin;
    if (end > extent.end) extent.end = end;
  }
  return extent;
}

}  // namespace weir::inline v1::detail
