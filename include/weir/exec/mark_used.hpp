#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// Writes flags, which travel with it, into the executor's memory: one word each, 1 or 0.
struct MarkUsed {
  static constexpr std::size_t capacity = 512;

  std::uint32_t* words;
  std::size_t count;  // at most `capacity`
  std::uint64_t bits[capacity / 64] = {};

  void set(std::size_t flag) { bits[flag / 64] |= std::uint64_t{1} << flag % 64; }

  WEIR_HOST_DEVICE void operator()() const {
    for (std::size_t flag = 0; flag < count; ++flag)
      words[flag] = static_cast<std::uint32_t>(bits[flag / 64] >> flag % 64 & 1);
  }
};

}  // namespace weir::inline v1
