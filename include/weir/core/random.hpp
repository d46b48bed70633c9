#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/host_device.hpp"
#include "weir/core/normal_quantile.hpp"

namespace weir::inline v1 {

/// Four random words, all 32 bits of each uniform and independent.
struct RandomWords {
  std::uint32_t word[4];

  WEIR_HOST_DEVICE constexpr std::uint32_t operator[](std::size_t i) const { return word[i]; }
  friend constexpr bool operator==(RandomWords const&, RandomWords const&) = default;
};

/// The counter-based generator Philox4x32-10: a fixed function of counter and key.
///
/// Source: [salmon2011].
WEIR_HOST_DEVICE constexpr RandomWords philox(RandomWords counter, std::uint64_t key) {
  constexpr std::uint64_t multipliers[] = {0xd251'1f53, 0xcd9e'8d57};
  constexpr std::uint32_t increments[] = {0x9e37'79b9, 0xbb67'ae85};
  std::uint32_t low = static_cast<std::uint32_t>(key);
  std::uint32_t high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    std::uint64_t const first = multipliers[0] * counter.word[0];
    std::uint64_t const second = multipliers[1] * counter.word[2];
    counter = {{static_cast<std::uint32_t>(second >> 32) ^ counter.word[1] ^ low,
                static_cast<std::uint32_t>(second),
                static_cast<std::uint32_t>(first >> 32) ^ counter.word[3] ^ high,
                static_cast<std::uint32_t>(first)}};
    low += increments[0];
    high += increments[1];
  }
  return counter;
}

/// The random numbers of one operation of the model (`site`) on one micro-batch of one step. Keyed by these
/// and nothing else, so that threads, workers, ranks and the order of calls make no difference.
///
/// Elements have random access: element i is made from word i % 4 of draw i / 4, for i below 2^34.
/// Cost: a Philox block per call; a loop over many elements takes a draw for each four and uses
/// `uniform_from`.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t micro_batch = 0;  ///< the global index u
  std::uint32_t site = 0;

  /// The four words of a draw.
  WEIR_HOST_DEVICE constexpr RandomWords operator()(std::uint32_t draw) const {
    return philox({{draw, step, micro_batch, site}}, seed);
  }

  WEIR_HOST_DEVICE constexpr std::uint32_t word(std::size_t element) const {
    return (*this)(static_cast<std::uint32_t>(element / 4))[element % 4];
  }

  /// Uniform in [0, 1), a multiple of 2^-24.
  WEIR_HOST_DEVICE constexpr float uniform(std::size_t element) const { return uniform_from(word(element)); }

  /// Standard normal. Same bits on every host and on the device.
  WEIR_HOST_DEVICE float normal(std::size_t element) const { return normal_from(word(element)); }

  WEIR_HOST_DEVICE static constexpr float uniform_from(std::uint32_t word) {
    return static_cast<float>(word >> 8) * 0x1p-24f;
  }
  WEIR_HOST_DEVICE static float normal_from(std::uint32_t word) {
    return static_cast<float>(normal_quantile((word + 0.5) * 0x1p-32));
  }
};

namespace detail {

/// The words of a stream one after another, for algorithms that cannot say beforehand how many they need.
class WordSequence {
 public:
  explicit constexpr WordSequence(RandomStream const& stream) : stream_(stream) {}

  constexpr std::uint32_t next() {
    if (position_ % 4 == 0) words_ = stream_(static_cast<std::uint32_t>(position_ / 4));
    return words_[position_++ % 4];
  }

  /// Uniform in [0, bound), without bias: the few words that would favour small results are passed over.
  constexpr std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    if (static_cast<std::uint32_t>(product) < bound) {
      std::uint32_t const surplus = (0u - bound) % bound;
      while (static_cast<std::uint32_t>(product) < surplus) product = std::uint64_t{next()} * bound;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  RandomStream stream_;
  RandomWords words_ = {};
  std::size_t position_ = 0;
};

}  // namespace detail

/// Fills `out` with a random order of 0 .. size-1 that depends on size, seed and epoch only. (Fisher-Yates
/// from the top; every order is equally likely.)
///
/// Errors: ContractViolation beyond 2^32 - 1 entries or where the element type cannot hold them.
template <std::unsigned_integral Index>
constexpr void permutation(std::uint64_t seed, std::uint32_t epoch, std::span<Index> out) {
  constexpr std::uint32_t reserved = 0xffff'ffff;  // a micro-batch and a site that no model has
  if (out.size() > reserved || (!out.empty() && out.size() - 1 > static_cast<Index>(-1))) {
    throw ContractViolation("a permutation of " + std::to_string(out.size()) +
                            " entries: at most 2^32 - 1, each in " + std::to_string(sizeof(Index)) +
                            " bytes");
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<Index>(i);
  detail::WordSequence words{{.seed = seed, .step = epoch, .micro_batch = reserved, .site = reserved}};
  for (std::size_t i = out.size(); i-- > 1;) {
    std::size_t const j = words.below(static_cast<std::uint32_t>(i + 1));
    Index const moved = out[i];
    out[i] = out[j];
    out[j] = moved;
  }
}

}  // namespace weir::inline v1
