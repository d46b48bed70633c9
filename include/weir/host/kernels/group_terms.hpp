#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/host/kernels/group_vectors.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {
namespace detail {

// The terms of a product with a group design. Output vector u is the sum, over terms, of a vector of values
// times a vector of the inputs that lie packed from cell `first` on, both permuted. `next` says where the
// inputs of a term are, how their lanes are exchanged, and gives the values. What the table does not hold as
// it is needed is copied before the loop, which must not call anything: the sums are in registers.

struct TermScratch {
  static constexpr std::size_t capacity = 2048;
  std::uint16_t offsets[capacity];
  std::uint16_t last_offsets[8];
  alignas(64) unsigned char last_values[128];
};

/// Outputs are rows, n >= lanes.
template <class Vectors, class Value>
struct WideForwardTerms {
  static std::size_t outputs(Vectors const& v) { return v.classes * v.parts; }
  static std::size_t steps(Vectors const& v, std::size_t cells) { return cells * v.levels; }
  static std::size_t copied_offsets(Vectors const& v) { return v.is_plain ? 0 : v.levels; }

  [[gnu::always_inline]] void start(Vectors const& v, Value const* all, std::size_t u, std::size_t first,
                                    std::size_t last, TermScratch& scratch) {
    std::size_t const a = u / v.parts;
    h = static_cast<std::uint32_t>(u % v.parts) * Vectors::lanes;
    offsets = v.layout.cells + a * v.groups + first;
    if (!v.is_plain) {
      offsets = scratch.offsets;
      std::uint16_t* to = scratch.offsets;
      for (std::size_t c = first; c < last; ++c) to = v.write_offsets(a, c, to);
    }
    values = all + (a * v.groups + first) * v.levels * v.n + h;
  }

  [[gnu::always_inline]] void next(Vectors const& v, bool, std::size_t& at, typename Vectors::Index& index,
                                   typename Vectors::Values& to) {
    std::uint32_t const offset = *offsets++;
    at = base + ((offset & ~(Vectors::lanes - 1u)) ^ h);
    v.exchanged(offset, index);
    load<typename Vectors::Real, Vectors::lanes>(values, to);
    values += v.n;
    if (++level == v.levels) {
      level = 0;
      base += v.n;
    }
  }

  std::uint16_t const* offsets;
  Value const* values;
  std::size_t base = 0;
  std::uint32_t h, level = 0;
};

/// Outputs are columns, n >= lanes.
template <class Vectors, class Value>
struct WideTransposedTerms {
  static std::size_t outputs(Vectors const& v) { return v.groups * v.parts; }
  static std::size_t steps(Vectors const& v, std::size_t cells) { return cells * v.levels; }
  static std::size_t copied_offsets(Vectors const& v) { return v.is_plain ? 0 : v.levels; }

  [[gnu::always_inline]] void start(Vectors const& v, Value const* all, std::size_t u, std::size_t first,
                                    std::size_t last, TermScratch& scratch) {
    std::size_t const c = u / v.parts;
    h = static_cast<std::uint32_t>(u % v.parts) * Vectors::lanes;
    offsets = v.layout.cells + first * v.groups + c;
    offset_step = v.groups;
    if (!v.is_plain) {
      offsets = scratch.offsets;
      offset_step = 1;
      std::uint16_t* to = scratch.offsets;
      for (std::size_t a = first; a < last; ++a) to = v.write_offsets(a, c, to);
    }
    values = all + (first * v.groups + c) * v.levels * v.n;
    value_step = v.groups * v.levels * v.n - (v.levels - 1) * v.n;
  }

  [[gnu::always_inline]] void next(Vectors const& v, bool, std::size_t& at, typename Vectors::Index& index,
                                   typename Vectors::Values& to) {
    std::uint32_t const offset = *offsets;
    offsets += offset_step;
    std::uint32_t const part = (offset & ~(Vectors::lanes - 1u)) ^ h;
    at = base + part;
    v.exchanged(offset, index);
    load<typename Vectors::Real, Vectors::lanes>(values + part, to);
    permute<typename Vectors::Real, Vectors::lanes>(to, index, to);
    if (++level == v.levels) {
      level = 0;
      values += value_step;
      base += v.n;
    } else {
      values += v.n;
    }
  }

  std::uint16_t const* offsets;
  std::size_t offset_step;
  Value const* values;
  std::size_t value_step;
  std::size_t base = 0;
  std::uint32_t h, level = 0;
};

/// Outputs are rows, n < lanes: a vector holds sums of several groups for the same rows, which are added up
/// in the end. The terms are the vectors of values that lie one after another.
template <class Vectors, class Value>
struct PackedForwardTerms {
  static std::size_t outputs(Vectors const& v) { return v.classes; }
  static std::size_t steps(Vectors const& v, std::size_t cells) {
    return (cells * v.levels + v.packed - 1) / v.packed;
  }
  static std::size_t copied_offsets(Vectors const& v) { return v.is_plain ? 0 : v.levels; }

  [[gnu::always_inline]] void start(Vectors const& v, Value const* all, std::size_t u, std::size_t first,
                                    std::size_t last, TermScratch& scratch) {
    offsets = v.layout.cells + u * v.groups + first;
    if (!v.is_plain) {
      offsets = scratch.offsets;
      std::uint16_t* to = scratch.offsets;
      for (std::size_t c = first; c < last; ++c) to = v.write_offsets(u, c, to);
    }
    values = all + (u * v.groups + first) * v.levels * v.n;
    std::size_t const cells = (last - first) * v.levels;
    std::size_t const rest = cells % v.packed;
    last_offsets = nullptr;
    if (rest == 0) return;
    // The last vector is not full.
    std::memset(scratch.last_offsets, 0, sizeof scratch.last_offsets);
    std::memset(scratch.last_values, 0, sizeof scratch.last_values);
    std::memcpy(scratch.last_offsets, offsets + cells - rest, rest * sizeof *offsets);
    std::memcpy(scratch.last_values, static_cast<void const*>(values + (cells - rest) * v.n),
                rest * v.n * sizeof(Value));
    last_offsets = scratch.last_offsets;
    last_values = reinterpret_cast<Value const*>(scratch.last_values);
  }

  [[gnu::always_inline]] void next(Vectors const& v, bool is_last, std::size_t& at,
                                   typename Vectors::Index& index, typename Vectors::Values& to) {
    if (is_last && last_offsets != nullptr) {
      offsets = last_offsets;
      values = last_values;
    }
    at = base;
    v.exchanged_packed(offsets, v.places[turn], index);
    load<typename Vectors::Real, Vectors::lanes>(values, to);
    offsets += v.packed;
    values += Vectors::lanes;
    base += v.advance[turn];
    turn = v.next_turn[turn];
  }

  std::uint16_t const* offsets;
  Value const* values;
  std::uint16_t const* last_offsets;
  Value const* last_values = nullptr;
  std::size_t base = 0;
  std::uint32_t turn = 0;
};

/// Outputs are columns, n < lanes: a vector holds several groups, all of which take the same n inputs.
template <class Vectors, class Value>
struct PackedTransposedTerms {
  static std::size_t outputs(Vectors const& v) { return (v.groups + v.packed - 1) / v.packed; }
  static std::size_t steps(Vectors const& v, std::size_t cells) { return cells * v.levels; }
  static std::size_t copied_offsets(Vectors const& v) {
    return v.is_plain && v.groups % v.packed == 0 ? 0 : v.levels * v.packed;
  }

  [[gnu::always_inline]] void start(Vectors const& v, Value const* all, std::size_t u, std::size_t first,
                                    std::size_t last, TermScratch& scratch) {
    std::size_t const c = u * v.packed;
    std::uint32_t const cells = static_cast<std::uint32_t>(smaller(v.packed, v.groups - c));
    is_direct = v.is_plain && cells == v.packed;
    offsets = v.layout.cells + first * v.groups + c;
    offset_step = v.groups;
    if (!is_direct) {
      offsets = scratch.offsets;
      offset_step = v.packed;
      for (std::size_t a = first; a < last; ++a)
        copy_offsets(v, a, c, cells, (a - first) * v.levels, scratch);
      for (std::uint32_t lane = 0; lane < Vectors::lanes; ++lane) {
        std::uint32_t const cell = lane / v.n;
        place[lane] = cell < cells ? cell * v.levels * v.n + lane % v.n : 0;
      }
    }
    values = all + (first * v.groups + c) * v.levels * v.n;
    value_step = v.groups * v.levels * v.n - (v.levels - 1) * v.n;
  }

  [[gnu::always_inline]] void next(Vectors const& v, bool, std::size_t& at, typename Vectors::Index& index,
                                   typename Vectors::Values& to) {
    using Real = typename Vectors::Real;
    v.exchanged_packed(offsets, v.numbers, index);
    offsets += offset_step;
    if (is_direct) {
      load<Real, Vectors::lanes>(values, to);
    } else {
      Value gathered[Vectors::lanes];
      for (int lane = 0; lane < Vectors::lanes; ++lane) gathered[lane] = values[place[lane]];
      load<Real, Vectors::lanes>(gathered, to);
    }
    permute<Real, Vectors::lanes>(to, index, to);
    at = base & ~(Vectors::lanes - std::size_t{1});
    index = (index & static_cast<LaneNumber<Real>>(v.n - 1)) |
            static_cast<LaneNumber<Real>>(base & (Vectors::lanes - 1));
    if (++level == v.levels) {
      level = 0;
      values += value_step;
      base += v.n;
    } else {
      values += v.n;
    }
  }

  [[gnu::noinline]] static void copy_offsets(Vectors const& v, std::size_t a, std::size_t c,
                                             std::uint32_t cells, std::size_t step, TermScratch& scratch) {
    for (std::uint32_t cell = 0; cell < v.packed; ++cell) {
      std::uint16_t levels[Vectors::most_turns * 2] = {};
      if (cell < cells) v.write_offsets(a, c + cell, levels);
      for (std::uint32_t level = 0; level < v.levels; ++level) {
        scratch.offsets[(step + level) * v.packed + cell] = levels[level];
      }
    }
  }

  std::uint16_t const* offsets;
  std::size_t offset_step;
  Value const* values;
  std::size_t value_step;
  std::size_t base = 0;
  std::uint32_t level = 0;
  bool is_direct;
  std::uint32_t place[Vectors::lanes] = {};
};

}  // namespace detail
}  // namespace weir::inline v1
