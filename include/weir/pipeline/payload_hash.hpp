#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/pipeline/stage_micro.hpp"

namespace weir::inline v1::detail {

/// A hash of the parts of messages that micro-batches fill. Every bit counts.
class PayloadHash {
 public:
  void add(MessageLayout const* layout, std::byte const* data, std::size_t samples, std::size_t element) {
    if (layout == nullptr || data == nullptr) return;
    for (std::size_t k = 0; k < layout->elements.size(); ++k)
      add(data + layout->offsets[k], layout->elements[k] * samples * element);
  }

  std::uint64_t value() const { return value_; }

 private:
  void add(std::byte const* data, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + i, bytes - i < 8 ? bytes - i : 8);
      value_ = (value_ ^ word) * 0x9e37'79b9'7f4a'7c15;
      value_ ^= value_ >> 29;
    }
  }

  std::uint64_t value_ = 0xcbf2'9ce4'8422'2325;
};

}  // namespace weir::inline v1::detail
