#pragma once

#include <cstddef>
#include <type_traits>

#include "weir/exec/element_clamp.hpp"
#include "weir/exec/weighted_term.hpp"
#include "weir/host/load_store.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {
namespace detail {

/// `ElementClamp::clamped`, lane by lane.
template <class Real, int Count>
[[gnu::always_inline]] inline void clamp(typename MagnitudeKey<Real>::Bits limit,
                                         Lanes<Real, Count>& values) {
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  if constexpr (Count == 1) {
    values = ElementClamp::clamped(values, limit);
  } else {
    using Words = Lanes<Bits, Count>;
    using Signed = Lanes<std::make_signed_t<Bits>, Count>;  // SSE2 compares no others
    Words const bits = reinterpret_cast<Words>(values);
    Words const keys = bits & (~Bits{0} >> 1);
    Signed const compared = reinterpret_cast<Signed>(keys);
    Words result;
    select((compared > static_cast<std::make_signed_t<Bits>>(limit)) &
               (compared < static_cast<std::make_signed_t<Bits>>(Key::infinity)),
           (bits ^ keys) | limit, bits, result);
    values = reinterpret_cast<Lanes<Real, Count>>(result);
  }
}

/// `out = ((w_0 * t_0 + w_1 * t_1) + w_2 * t_2) + ..`, clamped, `[+ residual]`. Of one position, everything
/// is read before it is written.
template <class Element, class Number>
struct SumWeighted {
  using Real = Number;
  WeightedTerm<Element, HostSpace> const* terms;
  std::size_t count;
  Real* out;
  Real const* residual = nullptr;
  typename MagnitudeKey<Real>::Bits limit = no_limit;  // of the key of the sum

  static constexpr auto no_limit = MagnitudeKey<Real>::infinity;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr std::size_t lanes = VectorBytes / sizeof(Real);
    std::size_t i = begin;
    for (std::size_t whole = (end - i) / (4 * lanes); whole != 0; --whole, i += 4 * lanes) four<lanes>(i);
    for (std::size_t whole = (end - i) / lanes; whole != 0; --whole, i += lanes) one<lanes>(i);
    for (std::size_t rest = (end - i) % lanes; rest != 0; --rest, ++i) one<1>(i);
  }

 private:
  template <int Count>
  [[gnu::always_inline]] void one(std::size_t i) const {
    Lanes<Real, Count> sum;
    start<Count>(i, sum);
    for (std::size_t term = 1; term < count; ++term) {
      add<Count>(terms[term].values.data() + i, static_cast<Real>(terms[term].weight), sum);
    }
    if (limit != no_limit) clamp<Real, Count>(limit, sum);
    if (residual != nullptr) add_residual<Count>(i, sum);
    store<Real, Count>(sum, out + i);
  }

  // Four sums at a time share the work of looking up a term.
  template <int Count>
  [[gnu::always_inline]] void four(std::size_t i) const {
    prefetch<4 * Count * sizeof(Real), true>(out + i);
    prefetch<4 * Count * sizeof(Element), false>(terms[0].values.data() + i);
    Lanes<Real, Count> a, b, c, d;
    start<Count>(i, a);
    start<Count>(i + Count, b);
    start<Count>(i + 2 * Count, c);
    start<Count>(i + 3 * Count, d);
    for (std::size_t term = 1; term < count; ++term) {
      Element const* const values = terms[term].values.data() + i;
      Real const weight = static_cast<Real>(terms[term].weight);
      prefetch<4 * Count * sizeof(Element), false>(values);
      add<Count>(values, weight, a);
      add<Count>(values + Count, weight, b);
      add<Count>(values + 2 * Count, weight, c);
      add<Count>(values + 3 * Count, weight, d);
    }
    if (limit != no_limit) {
      clamp<Real, Count>(limit, a);
      clamp<Real, Count>(limit, b);
      clamp<Real, Count>(limit, c);
      clamp<Real, Count>(limit, d);
    }
    if (residual != nullptr) {
      prefetch<4 * Count * sizeof(Real), false>(residual + i);
      add_residual<Count>(i, a);
      add_residual<Count>(i + Count, b);
      add_residual<Count>(i + 2 * Count, c);
      add_residual<Count>(i + 3 * Count, d);
    }
    store<Real, Count>(a, out + i);
    store<Real, Count>(b, out + i + Count);
    store<Real, Count>(c, out + i + 2 * Count);
    store<Real, Count>(d, out + i + 3 * Count);
  }

  template <int Count>
  [[gnu::always_inline]] void start(std::size_t i, Lanes<Real, Count>& sum) const {
    Lanes<Real, Count> values;
    load<Real, Count>(terms[0].values.data() + i, values);
    multiply(values, static_cast<Real>(terms[0].weight), sum);
  }

  template <int Count>
  [[gnu::always_inline]] static void add(Element const* from, Real weight, Lanes<Real, Count>& sum) {
    Lanes<Real, Count> values;
    load<Real, Count>(from, values);
    multiply_add(values, weight, sum, sum);
  }

  template <int Count>
  [[gnu::always_inline]] void add_residual(std::size_t i, Lanes<Real, Count>& sum) const {
    Lanes<Real, Count> values;
    load<Real, Count>(residual + i, values);
    sum += values;
  }
};

/// `out += factor * in`.
template <class Element, class Number>
struct AddScaled {
  using Real = Number;
  Element const* in;
  Real* out;
  Real factor;

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    Lanes<Real, Count> values, sum;
    load<Real, Count>(in + i, values);
    load<Real, Count>(out + i, sum);
    multiply_add(values, factor, sum, sum);
    store<Real, Count>(sum, out + i);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
