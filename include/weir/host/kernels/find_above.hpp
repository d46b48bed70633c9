#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/magnitude_key.hpp"
#include "weir/host/kernels/lane_masks.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// The keys of values, as signed integers, for which all instruction sets have comparisons.
template <class Real, int Count>
[[gnu::always_inline]] inline void keys_of(
    Lanes<Real, Count> const& values,
    Lanes<std::make_signed_t<typename MagnitudeKey<Real>::Bits>, Count>& keys) {
  using Signed = std::make_signed_t<typename MagnitudeKey<Real>::Bits>;
  constexpr Signed mask = static_cast<Signed>(~typename MagnitudeKey<Real>::Bits{0} >> 1);
  keys = reinterpret_cast<Lanes<Signed, Count>>(values) & mask;
}

/// Takes the elements of a block of an input, and keeps the position in it and the value of those whose key
/// is above `guard`, in order, where there is room for 64 more than there are elements. Counts the elements
/// that are not 0, too.
template <class Input>
struct FindAbove {
  using Real = typename Input::Real;
  using Key = MagnitudeKey<Real>;
  using Signed = std::make_signed_t<typename Key::Bits>;

  Input input;
  typename Key::Bits guard;
  std::uint32_t* positions;
  Real* values;
  std::size_t* found;
  std::size_t* non_zero;
  bool is_rare = false;  // what is found; affects the time

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    Input const from = input;
    Out out{positions, values, 0};
    std::size_t i = begin;
    Lanes<Signed, lanes> limit = {}, zeros = {};
    limit |= static_cast<Signed>(guard);
    std::size_t elements = 0;
    for (std::size_t groups = (end - i) / 64; groups != 0; --groups, i += 64) {
      from.template fetch<64>(i);
      std::uint32_t const first = static_cast<std::uint32_t>(i - begin);
      if constexpr (VectorBytes == 64) {
        if (is_rare) {
          packed_rarely<lanes>(from, i, first, limit, zeros, out);
        } else {
          packed<lanes>(from, i, first, limit, zeros, out);
        }
      } else {
        one_by_one<lanes>(from, i, first, limit, zeros, out);
      }
      elements += 64;
    }
    for (int lane = 0; lane < lanes; ++lane) elements -= static_cast<std::size_t>(lane_of(zeros, lane));
    for (; i < end; ++i) {
      Real value;
      from.template take<1>(i, value);
      out.positions[out.size] = static_cast<std::uint32_t>(i - begin);
      out.values[out.size] = value;
      out.size += Key::of(value) > guard ? 1 : 0;
      elements += Key::of(value) != 0 ? 1 : 0;
    }
    from.end();
    *found = out.size;
    *non_zero = elements;
  }

 private:
  struct Out {
    std::uint32_t* positions;
    Real* values;
    std::size_t size;
  };

  template <class Values>
  [[gnu::always_inline]] static Signed lane_of(Values const& values, int lane) {
    if constexpr (std::is_arithmetic_v<Values>) {
      return values;
    } else {
      return values[lane];
    }
  }

  template <int Count>
  [[gnu::always_inline]] static void take(Input const& from, std::size_t i, Lanes<Real, Count>& value,
                                          Lanes<Signed, Count>& keys, Lanes<Signed, Count>& zeros) {
    from.template take<Count>(i, value);
    keys_of<Real, Count>(value, keys);
    zeros -= keys == 0;
  }

  /// Without branches, for nobody foresees in which groups there is something.
  template <int Count>
  [[gnu::always_inline]] static void packed(Input const& from, std::size_t i, std::uint32_t first,
                                            Lanes<Signed, Count> const& limit, Lanes<Signed, Count>& zeros,
                                            Out& out) {
    for (std::size_t group = 0; group < 64; group += 16) {
      Lanes<Real, Count> values[16 / Count];
      std::uint32_t masks[16 / Count];
      look<Count>(from, i + group, limit, zeros, values, masks);
      pack<Count>(first + static_cast<std::uint32_t>(group), values, masks, out);
    }
  }

  /// Where that is in few.
  template <int Count>
  [[gnu::always_inline]] static void packed_rarely(Input const& from, std::size_t i, std::uint32_t first,
                                                   Lanes<Signed, Count> const& limit,
                                                   Lanes<Signed, Count>& zeros, Out& out) {
    constexpr int vectors = 64 / Count;
    Lanes<Real, Count> values[vectors];
    std::uint32_t masks[vectors];
    std::uint32_t any = 0;
    look<Count>(from, i, limit, zeros, values, masks);
    for (std::uint32_t mask : masks) any |= mask;
    if (any == 0) return;
    for (int vector = 0; vector < vectors; vector += 16 / Count)
      pack<Count>(first + static_cast<std::uint32_t>(vector * Count), values + vector, masks + vector, out);
  }

  template <int Count, std::size_t Vectors>
  [[gnu::always_inline]] static void look(Input const& from, std::size_t i, Lanes<Signed, Count> const& limit,
                                          Lanes<Signed, Count>& zeros, Lanes<Real, Count> (&values)[Vectors],
                                          std::uint32_t (&masks)[Vectors]) {
    for (std::size_t vector = 0; vector < Vectors; ++vector) {
      Lanes<Signed, Count> keys;
      take<Count>(from, i + vector * Count, values[vector], keys, zeros);
      masks[vector] = mask_above<Signed, Count>(keys, limit);
    }
  }

  /// 16 elements.
  template <int Count>
  [[gnu::always_inline]] static void pack(std::uint32_t first, Lanes<Real, Count> const* values,
                                          std::uint32_t const* masks, Out& out) {
    Lanes<std::uint32_t, 16> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    numbers += first;
    std::uint32_t all = 0;
    std::size_t size = out.size;
    for (int part = 0; part < 16 / Count; ++part) {
      store_packed<Real, Count>(values[part], masks[part], out.values + size);
      size += bits_in(masks[part]);
      all |= masks[part] << (part * Count);
    }
    store_packed<std::uint32_t, 16>(numbers, all, out.positions + out.size);
    out.size = size;
  }

  template <int Count>
  [[gnu::always_inline]] static void one_by_one(Input const& from, std::size_t i, std::uint32_t first,
                                                Lanes<Signed, Count> const& limit,
                                                Lanes<Signed, Count>& zeros, Out& out) {
    Real group[64];
    std::uint64_t mask = 0;
    for (int part = 0; part < 64; part += Count) {
      Lanes<Real, Count> value;
      Lanes<Signed, Count> keys;
      take<Count>(from, i + static_cast<std::size_t>(part), value, keys, zeros);
      store<Real, Count>(value, group + part);
      mask |= std::uint64_t{mask_above<Signed, Count>(keys, limit)} << part;
    }
    for (; mask != 0; mask &= mask - 1) {
      int const lane = __builtin_ctzll(mask);
      out.positions[out.size] = first + static_cast<std::uint32_t>(lane);
      out.values[out.size++] = group[lane];
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
