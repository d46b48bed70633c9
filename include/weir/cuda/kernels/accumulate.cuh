#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/sum_weighted.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/accumulate_rule.hpp"

namespace weir::inline v1 {
namespace detail {

/// The terms of a sum, as an argument of a kernel.
template <class Element, class Real>
struct DeviceTerms {
  Element const* terms[most_terms];
  Real weights[most_terms];
  int count;
};

/// Makes the accumulator of a sparsification, and u where there is momentum, as `AccumulateRule` says.
template <class Element, class Real>
struct DeviceAccumulate {
  static constexpr int width = full_width<Element>;
  static constexpr int loads = 1 + width / full_width<Real>;

  DeviceTerms<Element, Real> const& sum;
  AccumulateRule<Real> rule;
  Real const* residual;  // null: none
  Real const* momentum;  // null: none
  Real* next_momentum;
  Real* out;  // null: it is there

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    Pack<Real, Width> sums[Rows];
    make<Width, Rows>([&](int row) { return first + row * stride; }, sums, true);
    unroll<Rows>([&](int row) {
      if (out != nullptr) store(sums[row], out + first + row * stride);
      sink(row, sums[row].elements);
    });
  }

  /// `sink(i, value)` of the elements `place(i)`, which are fetched together and written nowhere.
  template <int Count, class Place, class Sink>
  WEIR_HOST_DEVICE void preview(Place const& place, Sink&& sink) const {
    Pack<Real, 1> sums[Count];
    make<1, Count>(place, sums, false);
    unroll<Count>([&](int i) { sink(i, sums[i].elements[0]); });
  }

 private:
  /// `place(row)` is where a row begins.
  template <int Width, int Rows, class Place>
  WEIR_HOST_DEVICE void make(Place const& place, Pack<Real, Width> (&sums)[Rows], bool writes) const {
    Pack<Real, Width> kept[Rows] = {};
    if (residual != nullptr) load_rows<Width, Rows>(residual, place, kept);
    Pack<Element, Width> values[Rows];
    load_rows<Width, Rows>(sum.terms[0], place, values);
    unroll<Rows>([&](int row) {
      unroll<Width>([&](int i) {
        sums[row].elements[i] = rounded_product(as_real<Real>(values[row].elements[i]), sum.weights[0]);
      });
    });
    for (int term = 1; term < sum.count; ++term) {
      Real const weight = sum.weights[term];
      load_rows<Width, Rows>(sum.terms[term], place, values);
      unroll<Rows>([&](int row) {
        unroll<Width>([&](int i) {
          sums[row].elements[i] += rounded_product(as_real<Real>(values[row].elements[i]), weight);
        });
      });
    }
    if (momentum != nullptr) {
      unroll<Rows>([&](int row) {
        Pack<Real, Width> moved;
        load_once(momentum + place(row), moved);
        unroll<Width>([&](int i) {
          Real const g = rule.gradient(sums[row].elements[i]);
          sums[row].elements[i] = rule.with_momentum(g, kept[row].elements[i], moved.elements[i]);
        });
        if (writes) store(moved, next_momentum + place(row));
      });
    } else if (residual != nullptr) {
      unroll<Rows>([&](int row) {
        unroll<Width>([&](int i) {
          sums[row].elements[i] =
              rule.with_residual(rule.gradient(sums[row].elements[i]), kept[row].elements[i]);
        });
      });
    } else {
      unroll<Rows>([&](int row) {
        unroll<Width>([&](int i) { sums[row].elements[i] = rule.gradient(sums[row].elements[i]); });
      });
    }
  }

  template <int Width, int Rows, class Number, class Place>
  WEIR_HOST_DEVICE static void load_rows(Number const* from, Place const& place,
                                         Pack<Number, Width> (&packs)[Rows]) {
    unroll<Rows>([&](int row) { load_once(from + place(row), packs[row]); });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
