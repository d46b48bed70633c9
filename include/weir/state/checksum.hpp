#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weir::inline v1 {

/// A 64-bit checksum of a sequence of bytes, handed over in pieces of any size.
///
/// Two sequences of the same length that differ within one aligned word of 8 bytes never have the same
/// checksum, because each word enters by a one-to-one map; others have it with probability 2^-64. Not meant
/// to stop an attacker. Depends on the byte order of the machine. Cost: at most a clock cycle per byte.
class Checksum {
 public:
  void add(std::span<std::byte const> bytes) {
    length_ += bytes.size();
    std::byte const* next = bytes.data();
    std::byte const* const end = next + bytes.size();
    while (pending_ != 0 && next != end) add_byte(*next++);
    for (; static_cast<std::size_t>(end - next) >= sizeof(std::uint64_t); next += sizeof(std::uint64_t)) {
      std::uint64_t word;
      std::memcpy(&word, next, sizeof word);
      mix(word);
    }
    while (next != end) add_byte(*next++);
  }

  std::uint64_t value() const {
    Checksum last = *this;
    last.mix(word_);
    last.mix(length_);
    std::uint64_t const sum = last.sum_ ^ (last.sum_ >> 32);
    return sum * multipliers[0];
  }

 private:
  static constexpr std::uint64_t multipliers[] = {0x9e37'79b9'7f4a'7c15, 0xc2b2'ae3d'27d4'eb4f};  // odd

  void mix(std::uint64_t word) { sum_ = std::rotl(sum_ ^ (word * multipliers[0]), 31) * multipliers[1] + 1; }

  void add_byte(std::byte byte) {
    word_ |= std::uint64_t{std::to_integer<std::uint8_t>(byte)} << (8 * pending_);
    if (++pending_ < sizeof word_) return;
    if constexpr (std::endian::native == std::endian::big) word_ = __builtin_bswap64(word_);
    mix(word_);
    word_ = 0;
    pending_ = 0;
  }

  std::uint64_t sum_ = 0;
  std::uint64_t word_ = 0;  ///< bytes that do not fill a word yet
  std::size_t pending_ = 0;
  std::uint64_t length_ = 0;
};

/// The checksum of bytes that lie together.
inline std::uint64_t checksum(std::span<std::byte const> bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.value();
}

}  // namespace weir::inline v1
