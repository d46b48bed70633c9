#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/random.hpp"

namespace weir::inline v1 {

/// What the random choices of one step of one bucket are keyed by.
struct SelectionKey {
  std::uint64_t seed = 0;
  std::uint64_t bucket = 0;  // stable id
  std::uint64_t step = 0;

  WEIR_HOST_DEVICE constexpr RandomWords draw(std::uint32_t number, std::uint32_t purpose) const {
    std::uint64_t const key = seed ^ (bucket * 0x9e37'79b9'7f4a'7c15u);
    return philox(
        {{number, purpose, static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)}}, key);
  }
};

/// The slot that a sample takes from its stride number `number`, of `samples` strides of equal length.
WEIR_HOST_DEVICE constexpr std::size_t sampled_slot(SelectionKey const& key, std::size_t size,
                                                    std::size_t samples, std::size_t number) {
  constexpr std::uint32_t purpose = 0x5a3b'1e01;
  std::uint64_t const stride = size / samples;
  RandomWords const words =
      key.draw(static_cast<std::uint32_t>(number), purpose ^ static_cast<std::uint32_t>(number >> 32));
  std::uint64_t const high = (stride >> 32) * words[0];
  std::uint64_t const low = (stride & 0xffff'ffffu) * words[0];
  return number * stride + static_cast<std::size_t>(high + (low >> 32));
}

/// The largest sample that a policy draws of a bucket of that size, for densities from there on.
WEIR_HOST_DEVICE inline std::size_t most_samples(std::size_t size, double least_density) {
  std::size_t const percent = size / 100 + 1;
  double const for_density = 2.0 / least_density + 1.0;
  if (!(for_density < static_cast<double>(size))) return size;
  std::size_t const least = static_cast<std::size_t>(for_density);
  std::size_t const wanted = percent < least ? least : percent;
  return wanted < size ? wanted : size;
}

/// A permutation of 0 .. size-1 with random access.
///
/// Cost: less than two walks through eight rounds on average.
/// Source: [black2002], Feistel network with cycle walking.
class SlotPermutation {
 public:
  WEIR_HOST_DEVICE constexpr SlotPermutation(SelectionKey const& key, std::uint64_t size) : size_(size) {
    constexpr std::uint32_t purpose = 0x5a3b'1e02;
    unsigned bits = 2;
    while (bits < 64 && (std::uint64_t{1} << bits) < size) ++bits;
    bits += bits % 2;
    half_ = bits / 2;
    for (std::uint32_t i = 0; i < rounds; i += 4) {
      RandomWords const words = key.draw(i, purpose);
      for (std::uint32_t j = 0; j < 4; ++j) keys_[i + j] = words[j];
    }
  }

  /// `number` below the size.
  WEIR_HOST_DEVICE constexpr std::uint64_t operator()(std::uint64_t number) const {
    do number = once(number);
    while (number >= size_);
    return number;
  }

 private:
  static constexpr std::uint32_t rounds = 8;

  WEIR_HOST_DEVICE constexpr std::uint64_t once(std::uint64_t value) const {
    std::uint64_t const mask = (std::uint64_t{1} << half_) - 1;
    std::uint64_t left = value >> half_;
    std::uint64_t right = value & mask;
    for (std::uint32_t round = 0; round < rounds; ++round) {
      std::uint64_t const mixed = left ^ (mix(static_cast<std::uint32_t>(right), keys_[round]) & mask);
      left = right;
      right = mixed;
    }
    return left << half_ | right;
  }

  WEIR_HOST_DEVICE static constexpr std::uint32_t mix(std::uint32_t value, std::uint32_t key) {
    value ^= key;
    value ^= value >> 16;
    value *= 0x85eb'ca6bu;
    value ^= value >> 13;
    value *= 0xc2b2'ae35u;
    return value ^ value >> 16;
  }

  std::uint64_t size_;
  unsigned half_ = 0;
  std::uint32_t keys_[rounds] = {};
};

}  // namespace weir::inline v1
