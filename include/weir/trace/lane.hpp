#pragma once

#include <algorithm>
#include <compare>
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

/// The lanes that occur, in order.
inline std::vector<Lane> lanes_of(std::span<Span const> spans) {
  std::vector<Lane> lanes;
  for (Span const& span : spans) {
    auto const place = std::lower_bound(lanes.begin(), lanes.end(), lane_of(span));
    if (place == lanes.end() || *place != lane_of(span)) lanes.insert(place, lane_of(span));
  }
  return lanes;
}

/// From when to when.
struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

inline Interval extent_of(std::span<Span const> spans) {
  if (spans.empty()) return {};
  Interval extent{spans.front().begin, spans.front().end};
  for (Span const& span : spans) {
    extent.begin = std::min(extent.begin, span.begin);
    extent.end = std::max({extent.end, span.begin, span.end});
  }
  return extent;
}

}  // namespace weir::inline v1::detail
