#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/comm/fingerprint.hpp"

namespace weir::inline v1 {

/// The last operations of one rank, in fixed memory. One thread at a time.
class OperationLog {
 public:
  static constexpr std::size_t capacity = 64;

  void add(Fingerprint const& fingerprint) { entries_[added_++ % capacity] = fingerprint; }

  /// How many entries there are, at most `capacity`.
  std::size_t size() const { return added_ < capacity ? static_cast<std::size_t>(added_) : capacity; }

  /// Entry `index` of `size()`, oldest first.
  Fingerprint const& operator[](std::size_t index) const {
    return entries_[(added_ - size() + index) % capacity];
  }

  /// One line per operation, oldest first.
  std::string text() const {
    std::string lines;
    for (std::size_t index = 0; index < size(); ++index) lines += "\n  " + (*this)[index].text();
    return lines;
  }

 private:
  std::array<Fingerprint, capacity> entries_;
  std::uint64_t added_ = 0;
};

}  // namespace weir::inline v1
