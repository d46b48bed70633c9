#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/exec/group_layout.hpp"
#include "weir/host/kernels/permute_lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// How the cells of a group design of p = 2 are cut into vectors of `Count` lanes. A group of n >= Count is
/// `parts` vectors; XOR with an offset exchanges vectors by its high bits and lanes by its low ones. Of
/// smaller groups, `packed` lie side by side in one vector, each with an offset of its own.
template <class Number, int Count>
struct GroupVectors {
  using Real = Number;
  using Values = Lanes<Real, Count>;
  using Index = Lanes<LaneNumber<Real>, Count>;
  static constexpr int lanes = Count;

  explicit GroupVectors(GroupLayout const& all)
      : layout(all),
        n(all.shape.group),
        levels(all.shape.levels),
        groups(all.shape.groups),
        classes(all.shape.classes),
        is_wide(n >= Count),
        is_plain(levels == 1 && all.shape.first_level == 0 && all.powers == nullptr),
        packed(is_wide ? 1 : static_cast<std::uint32_t>(Count) / n),
        parts(is_wide ? n / static_cast<std::uint32_t>(Count) : 1) {
    lane_numbers<Real, Count>.load_into(numbers);
    if (!is_wide) prepare_packed();
  }

  /// lane ^ offset, of which only the low bits count.
  [[gnu::always_inline]] void exchanged(std::uint32_t offset, Index& to) const {
    to = numbers ^ static_cast<LaneNumber<Real>>(offset & (Count - 1));
  }

  /// What `lane_places` says of each lane, XORed with the offset of the lane's cell: `packed` cells lie side
  /// by side.
  [[gnu::always_inline]] void exchanged_packed(std::uint16_t const* offsets, Index const& lane_places,
                                               Index& to) const {
    // The offsets of four cells are one number, shifted by as many bits as the lane's cell asks for.
    Pairs spread = {};
    if (packed == 2) {
      std::uint32_t two;
      std::memcpy(&two, offsets, sizeof two);
      spread |= std::uint64_t{two};
    } else {
      std::uint64_t four;
      std::memcpy(&four, offsets, sizeof four);
      spread |= four;
    }
    if (packed > 4) {
      std::uint64_t more;
      std::memcpy(&more, offsets + 4, sizeof more);
      Pairs high = {};
      high |= more;
      spread = (spread & ~from_high) | (high & from_high);
    }
    spread = (spread >> shifts) & std::uint64_t{n - 1};
    if constexpr (sizeof(Real) == 4) spread |= spread << 32;
    to = lane_places ^ reinterpret_cast<Index>(spread);
  }

  /// Writes the offsets of cell (a, c), level by level; returns where they end. Not inlined: few masks need
  /// it, and the loops beside it need the registers.
  [[gnu::noinline]] std::uint16_t* write_offsets(std::size_t a, std::size_t c, std::uint16_t* to) const {
    auto const cell = layout.cell(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(c));
    for (std::uint32_t level = 0; level < levels; ++level) {
      *to++ = static_cast<std::uint16_t>(layout.offset(cell, level));
    }
    return to;
  }

  GroupLayout const& layout;
  std::uint32_t n;
  std::uint32_t levels;
  std::size_t groups;
  std::size_t classes;
  bool is_wide;
  bool is_plain;  // the table holds the offsets themselves
  std::uint32_t packed;
  std::uint32_t parts;
  Index numbers;

  // Vectors of cells that lie side by side, where those of one group are its levels. `turn` is the level of
  // the first: by it, the lanes' places relative to the first group, how far the next vector's first group
  // is, and the next vector's turn.
  static constexpr std::uint32_t most_turns = Count < 2 ? 1 : Count / 2;
  Index places[most_turns];
  std::uint32_t advance[most_turns] = {};
  std::uint32_t next_turn[most_turns] = {};

 private:
  using Pairs = Lanes<std::uint64_t, static_cast<int>((Count * sizeof(Real) + 7) / 8)>;

  void prepare_packed() {
    if constexpr (Count > 1) {
      constexpr std::uint32_t together = sizeof(Real) == 4 ? 2 : 1;  // lanes in 64 bits
      std::uint64_t shift[Count / together], is_high[Count / together];
      for (std::uint32_t pair = 0; pair < Count / together; ++pair) {
        std::uint32_t const cell = pair * together / n;
        shift[pair] = 16 * (cell % 4);
        is_high[pair] = cell < 4 ? 0 : ~std::uint64_t{0};
      }
      std::memcpy(&shifts, shift, sizeof shift);
      std::memcpy(&from_high, is_high, sizeof is_high);
      for (std::uint32_t turn = 0; turn < levels && turn < most_turns; ++turn) {
        LaneNumber<Real> place[Count];
        for (std::uint32_t lane = 0; lane < Count; ++lane) {
          place[lane] = (turn + lane / n) / levels * n + lane % n;
        }
        std::memcpy(&places[turn], place, sizeof place);
        advance[turn] = (turn + packed) / levels * n;
        next_turn[turn] = (turn + packed) % levels;
      }
    }
  }

  Pairs shifts = {};
  Pairs from_high = {};
};

}  // namespace detail
}  // namespace weir::inline v1
