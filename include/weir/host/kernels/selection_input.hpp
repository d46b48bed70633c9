#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/convert.hpp"
#include "weir/exec/accumulate_rule.hpp"
#include "weir/exec/weighted_term.hpp"
#include "weir/host/load_store.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {
namespace detail {

// Where the passes of a sparsification get the accumulator from. `take` is called once for each element;
// `preview` gives what `take` will give, and `touch` fetches what that needs; `end` is called by a thread
// that has taken some.

/// Fetches what lies further ahead than `prefetch` does, for loops that stop and go.
template <int Bytes, bool ForWriting = false>
[[gnu::always_inline]] inline void prefetch_far(void const* address) {
  constexpr std::uintptr_t further = 4096 - prefetch_distance;
  prefetch<Bytes, ForWriting>(
      reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(address) + further));
}

/// As `store`, past the caches, to an address that is aligned to the vector. Before another thread may read
/// it, `end_streaming` has to be called.
template <class Real, int Count>
[[gnu::always_inline]] inline void store_streaming(Lanes<Real, Count> const& from, Real* to) {
#if defined(__x86_64__) && (defined(__OPTIMIZE__) || !defined(__clang__))
  auto& there = *reinterpret_cast<Lanes<Real, Count>*>(to);
  if constexpr (sizeof(from) == 16) {
    asm("movntps %1, %0" : "=m"(there) : "x"(from));
    return;
  } else if constexpr (sizeof(from) > 16) {
    asm("vmovntps %1, %0" : "=m"(there) : "?v"(from));
    return;
  }
#endif
  store<Real, Count>(from, to);
}

inline void end_streaming() {
#if defined(__x86_64__)
  asm volatile("sfence" ::: "memory");
#endif
}

/// The accumulator is there.
template <class Number>
struct GivenInput {
  using Real = Number;
  static constexpr std::size_t bytes = sizeof(Real);
  Real const* values;

  GivenInput prepared(std::size_t, bool) const { return *this; }

  template <int Count>
  [[gnu::always_inline]] void fetch(std::size_t i) const {
    prefetch_far<Count* static_cast<int>(sizeof(Real))>(values + i);
  }
  template <int Count>
  [[gnu::always_inline]] void take(std::size_t i, Lanes<Real, Count>& to) const {
    load<Real, Count>(values + i, to);
  }
  void touch(std::size_t i) const { __builtin_prefetch(values + i); }
  void end() const {}
  Real preview(std::size_t i) const { return values[i]; }
};

/// The accumulator is made: out of weighted terms, and a residual and momentum where they are not null.
template <class Element, class Number>
struct AccumulatedInput {
  using Real = Number;
  WeightedTerm<Element, HostSpace> const* terms;
  std::size_t count;
  AccumulateRule<Real> rule;
  Real const* residual;
  Real const* momentum;
  Real* next_momentum;
  Real* out;
  Element const* gradient = nullptr;  // not null: the accumulator is this and the residual, without factors
  bool streams = false;               // past the caches

  /// The same, which passes over what it need not do. `is_read_soon`: what is made, by the caller.
  AccumulatedInput prepared(std::size_t size, bool is_read_soon) const {
    AccumulatedInput result = *this;
    bool const has_factors = terms[0].weight != 1.0 || rule.factor != 1 || rule.beta != 1;
    bool const is_sum = count == 1 && !has_factors && residual != nullptr && momentum == nullptr;
    if (is_sum) result.gradient = terms[0].values.data();
    bool const is_aligned = reinterpret_cast<std::uintptr_t>(out) % 64 == 0;
    bool const is_large = size * sizeof(Real) >= (std::size_t{8} << 20);
    result.streams = !is_read_soon && out != residual && is_aligned && is_large;
    return result;
  }

  template <int Count>
  [[gnu::always_inline]] void fetch(std::size_t i) const {
    constexpr int bytes = Count * static_cast<int>(sizeof(Real));
    if (gradient != nullptr) {
      prefetch_far<Count* static_cast<int>(sizeof(Element))>(gradient + i);
      return out == residual ? prefetch_far<bytes, true>(residual + i) : prefetch_far<bytes>(residual + i);
    }
    for (std::size_t term = 0; term < count; ++term)
      prefetch_far<Count* static_cast<int>(sizeof(Element))>(terms[term].values.data() + i);
    if (residual != nullptr) prefetch_far<bytes>(residual + i);
    if (momentum != nullptr) {
      prefetch_far<bytes>(momentum + i);
      prefetch_far<bytes, true>(next_momentum + i);
    }
    if (!streams) prefetch_far<bytes, true>(out + i);
  }

  template <int Count>
  [[gnu::always_inline]] void take(std::size_t i, Lanes<Real, Count>& to) const {
    if (gradient != nullptr) {
      Lanes<Real, Count> kept;
      load<Real, Count>(gradient + i, to);
      load<Real, Count>(residual + i, kept);
      to = kept + to;
      return put<Count>(to, i);
    }
    sum<Count>(i, to);
    if (momentum != nullptr) {
      Lanes<Real, Count> moved, kept;
      load<Real, Count>(momentum + i, moved);
      load<Real, Count>(residual + i, kept);
      move(to, kept, moved);
      store<Real, Count>(moved, next_momentum + i);
    } else if (residual != nullptr) {
      Lanes<Real, Count> kept;
      load<Real, Count>(residual + i, kept);
      multiply_add(kept, rule.beta, to, to);
    }
    put<Count>(to, i);
  }

  void end() const {
    if (streams) end_streaming();
  }

  void touch(std::size_t i) const {
    for (std::size_t term = 0; term < count; ++term) __builtin_prefetch(terms[term].values.data() + i);
    if (residual != nullptr) __builtin_prefetch(residual + i);
    if (momentum != nullptr) __builtin_prefetch(momentum + i);
  }

  Real preview(std::size_t i) const {
    Real value;
    sum<1>(i, value);
    if (momentum != nullptr) {
      Real moved = momentum[i];
      move(value, residual[i], moved);
    } else if (residual != nullptr) {
      multiply_add(residual[i], rule.beta, value, value);
    }
    return value;
  }

 private:
  template <int Count>
  [[gnu::always_inline]] void put(Lanes<Real, Count> const& value, std::size_t i) const {
    if (Count > 1 && streams) {
      store_streaming<Real, Count>(value, out + i);
    } else {
      store<Real, Count>(value, out + i);
    }
  }

  template <int Count>
  [[gnu::always_inline]] void sum(std::size_t i, Lanes<Real, Count>& to) const {
    Lanes<Real, Count> values;
    load<Real, Count>(terms[0].values.data() + i, values);
    multiply(values, static_cast<Real>(terms[0].weight), to);
    for (std::size_t term = 1; term < count; ++term) {
      load<Real, Count>(terms[term].values.data() + i, values);
      multiply_add(values, static_cast<Real>(terms[term].weight), to, to);
    }
    multiply(to, rule.factor, to);
  }

  /// As `AccumulateRule::with_momentum`.
  template <class Values>
  [[gnu::always_inline]] void move(Values& g, Values const& v, Values& u) const {
    if (!rule.nesterov) {
      multiply_add(u, rule.momentum, g, u);
      g = v + u;
    } else {
      Values const both = u + g;
      multiply(both, rule.momentum, u);
      g = (v + u) + g;
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
