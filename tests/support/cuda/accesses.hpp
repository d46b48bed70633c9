#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stand_in {

/// How far each lane (a stream, or a branch of a graph) had got where something was enqueued.
class Clock {
 public:
  std::uint64_t operator[](std::size_t lane) const { return lane < reached_.size() ? reached_[lane] : 0; }
  void set(std::size_t lane, std::uint64_t number);
  void join(Clock const& other);

 private:
  std::vector<std::uint64_t> reached_;
};

/// One operation: the `number`-th of its lane.
struct Stamp {
  std::size_t lane = 0;
  std::uint64_t number = 0;
  std::shared_ptr<std::string const> name;

  bool before(Clock const& clock) const { return clock[lane] >= number; }
};

/// Who has read and written which bytes.
class AccessHistory {
 public:
  using Address = std::uintptr_t;

  /// New memory, which nobody has written.
  void add(Address begin, Address end);
  void remove(Address begin, Address end);

  /// What was written there means nothing.
  void spoil(Address begin, Address end);

  /// Keeps an access. Returns what is wrong with it, if anything is.
  std::optional<std::string> access(Address begin, Address end, bool writes, Stamp const& stamp,
                                    Clock const& clock);

 private:
  struct Segment {
    Address end = 0;
    bool is_written = true;
    std::optional<Stamp> write;
    std::vector<Stamp> reads;  // after the write
  };
  using Segments = std::map<Address, Segment>;

  void split(Address at);
  static std::optional<std::string> conflict(Segment const& segment, bool writes, Stamp const& stamp,
                                             Clock const& clock);

  Segments segments_;
};

}  // namespace stand_in
