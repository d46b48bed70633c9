#pragma once

#include <concepts>
#include <cstdint>

namespace weir::inline v1 {

/// How many versions of a stage's weights a pipeline keeps, the one in the caller's memory among them. They
/// are laid out alike, so that a switch of versions is an offset and never a copy.
template <class S>
concept WeightStore = std::copyable<S> && requires(S const& store, std::uint32_t number) {
  { store.versions(number, number) } -> std::same_as<std::uint32_t>;  // of a stage, of so many stages
};

/// One version, in the caller's memory: for schedules with a flush, and for stages without a delay.
struct Single {
  constexpr std::uint32_t versions(std::uint32_t, std::uint32_t) const { return 1; }
};

/// `count` versions of each stage; 0: as many as the stage has micro-batches under way in PipeDream, which is
/// p - s. Source: [narayanan2019]
template <std::uint32_t count = 0>
struct Stash {
  constexpr std::uint32_t versions(std::uint32_t stage, std::uint32_t stages) const {
    return count != 0 ? count : stages - stage;
  }
};

/// Two versions of each stage. Source: [narayanan2021a]
struct DoubleBuffer {
  constexpr std::uint32_t versions(std::uint32_t, std::uint32_t) const { return 2; }
};

/// Two versions of the first half of the stages, one of the other. Source: [wpipe2022]
struct GroupDoubleBuffer {
  constexpr std::uint32_t versions(std::uint32_t stage, std::uint32_t stages) const {
    return 2 * stage < stages ? 2 : 1;
  }
};

}  // namespace weir::inline v1
