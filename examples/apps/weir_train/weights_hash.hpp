#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weir_train {

/// FNV-1a of the bytes.
inline std::uint64_t weights_hash(std::span<float const> weights) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (std::byte const byte : std::as_bytes(weights)) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100'0000'01b3;
  }
  return hash;
}

}  // namespace weir_train
