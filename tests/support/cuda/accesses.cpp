#include "support/cuda/accesses.hpp"

#include <algorithm>

namespace stand_in {

void Clock::set(std::size_t lane, std::uint64_t number) {
  if (reached_.size() <= lane) reached_.resize(lane + 1);
  reached_[lane] = number;
}

void Clock::join(Clock const& other) {
  if (reached_.size() < other.reached_.size()) reached_.resize(other.reached_.size());
  for (std::size_t lane = 0; lane < other.reached_.size(); ++lane)
    reached_[lane] = std::max(reached_[lane], other.reached_[lane]);
}

void AccessHistory::add(Address begin, Address end) {
  remove(begin, end);
  segments_[begin] = {.end = end, .is_written = false, .write = {}, .reads = {}};
}

void AccessHistory::remove(Address begin, Address end) {
  split(begin);
  split(end);
  segments_.erase(segments_.lower_bound(begin), segments_.lower_bound(end));
}

void AccessHistory::spoil(Address begin, Address end) {
  split(begin);
  split(end);
  for (auto segment = segments_.lower_bound(begin); segment != segments_.lower_bound(end); ++segment)
    segment->second.is_written = false;
}

void AccessHistory::split(Address at) {
  auto const after = segments_.upper_bound(at);
  if (after == segments_.begin()) return;
  auto const segment = std::prev(after);
  if (segment->first == at || segment->second.end <= at) return;
  segments_[at] = segment->second;
  segment->second.end = at;
}

std::optional<std::string> AccessHistory::conflict(Segment const& segment, bool writes, Stamp const& stamp,
                                                   Clock const& clock) {
  if (!writes && !segment.is_written) return *stamp.name + " reads memory that nobody has written";
  if (segment.write && !segment.write->before(clock)) {
    return *stamp.name + (writes ? " writes" : " reads") + " what " + *segment.write->name +
           " writes, and does not wait for it";
  }
  if (!writes) return std::nullopt;
  for (Stamp const& read : segment.reads) {
    if (!read.before(clock))
      return *stamp.name + " writes what " + *read.name + " reads, and does not wait for it";
  }
  return std::nullopt;
}

std::optional<std::string> AccessHistory::access(Address begin, Address end, bool writes, Stamp const& stamp,
                                                 Clock const& clock) {
  split(begin);
  split(end);
  std::optional<std::string> problem;
  for (Address at = begin; at < end;) {
    auto next = segments_.lower_bound(at);
    if (next == segments_.end() || next->first != at) {  // memory of the host
      Address const gap_end = next == segments_.end() ? end : std::min(end, next->first);
      next =
          segments_.emplace(at, Segment{.end = gap_end, .is_written = true, .write = {}, .reads = {}}).first;
    }
    Segment& segment = next->second;
    if (!problem) problem = conflict(segment, writes, stamp, clock);
    if (writes) {
      segment.is_written = true;
      segment.write = stamp;
      segment.reads.clear();
    } else {
      segment.is_written = true;  // reported once
      auto const same_lane = [&](Stamp const& read) { return read.lane == stamp.lane; };
      std::erase_if(segment.reads, same_lane);
      segment.reads.push_back(stamp);
    }
    at = segment.end;
  }
  return problem;
}

}  // namespace stand_in
