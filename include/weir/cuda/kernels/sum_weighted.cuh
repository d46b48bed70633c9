#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/element_clamp.hpp"

namespace weir::inline v1 {
namespace detail {

/// Terms that one launch takes: their pointers and weights are an argument of 1 KB, of the 4 KB there may be.
inline constexpr std::size_t most_terms = 64;

/// Those whose sum has a kernel of its own.
inline constexpr std::size_t most_unrolled_terms = 8;

/// `out = ((w_0 * t_0 + w_1 * t_1) + w_2 * t_2) + ..`, of `Count` terms, or where `Adds`, `out` plus them.
/// All packs of a few rows are read before the first is used, and those of a position before it is written.
template <class Element, class Real, int Count, bool Adds = false>
struct DeviceSum {
  static constexpr int width = full_width<Element>;
  static constexpr int loads_of_out = width / full_width<Real>;
  static constexpr int loads = Adds ? Count + loads_of_out : Count > loads_of_out ? Count : loads_of_out;

  Real* out;
  Element const* terms[Count];
  Real weights[Count];

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    Pack<Element, Width> values[Rows][Count];
    Pack<Real, Width> before[Rows];
    unroll<Rows>([&](int row) {
      unroll<Count>([&](int term) { load_once(terms[term] + first + row * stride, values[row][term]); });
      if constexpr (Adds) load_once(out + first + row * stride, before[row]);
    });
    unroll<Rows>([&](int row) {
      Pack<Real, Width> sum;
      unroll<Width>([&](int i) {
        Real number = product(0, values[row][0].elements[i]);
        if constexpr (Adds) number = before[row].elements[i] + number;
        unroll<Count - 1>([&](int after_first) {
          number += product(1 + after_first, values[row][1 + after_first].elements[i]);
        });
        sum.elements[i] = number;
      });
      store(sum, out + first + row * stride);
      sink(row, sum.elements);
    });
  }

 private:
  WEIR_HOST_DEVICE Real product(int term, Element element) const {
    return rounded_product(weights[term], as_real<Real>(element));
  }
};

/// The same of any number of terms up to `most_terms`, clamped, and then `+ residual`, where there is one.
template <class Element, class Real>
struct DeviceLongSum {
  static constexpr int together = 4;  // terms that are read before one is used
  static constexpr int width = full_width<Element>;
  static constexpr int loads = together + 2 * width / full_width<Real>;

  Real* out;
  Real const* residual;
  int count;
  bool adds;  // begins with what is in `out`
  ElementClamp clamp;
  Element const* terms[most_terms];
  Real weights[most_terms];

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    // Before there is anything to keep in registers while it divides.
    bool const clamps = !clamp.is_empty();
    auto const limit = clamps ? clamp.template limit<Real>() : MagnitudeKey<Real>::infinity;
    Pack<Real, Width> rest[Rows] = {}, sums[Rows];
    if (residual != nullptr) load_rows<Width, Rows>(residual + first, stride, rest);
    int term = 0;
    if (adds) {
      load_rows<Width, Rows>(out + first, stride, sums);
    } else {
      Pack<Element, Width> values[Rows];
      load_rows<Width, Rows>(terms[0] + first, stride, values);
      unroll<Rows>([&](int row) {
        unroll<Width>([&](int i) {
          sums[row].elements[i] = rounded_product(weights[0], as_real<Real>(values[row].elements[i]));
        });
      });
      term = 1;
    }
    for (; term + together <= count; term += together) add<Width, Rows, together>(term, first, stride, sums);
    for (; term < count; ++term) add<Width, Rows, 1>(term, first, stride, sums);
    if (clamps) {
      unroll<Rows>([&](int row) {
        unroll<Width>(
            [&](int i) { sums[row].elements[i] = ElementClamp::clamped(sums[row].elements[i], limit); });
      });
    }
    unroll<Rows>([&](int row) {
      if (residual != nullptr) {
        unroll<Width>([&](int i) { sums[row].elements[i] += rest[row].elements[i]; });
      }
      store(sums[row], out + first + row * stride);
      sink(row, sums[row].elements);
    });
  }

 private:
  template <int Width, int Rows, class Number>
  WEIR_HOST_DEVICE static void load_rows(Number const* from, std::size_t stride,
                                         Pack<Number, Width> (&packs)[Rows]) {
    unroll<Rows>([&](int row) { load_once(from + row * stride, packs[row]); });
  }

  template <int Width, int Rows, int Terms>
  WEIR_HOST_DEVICE void add(int term, std::size_t first, std::size_t stride,
                            Pack<Real, Width> (&sums)[Rows]) const {
    Pack<Element, Width> values[Terms][Rows];
    unroll<Terms>([&](int i) { load_rows<Width, Rows>(terms[term + i] + first, stride, values[i]); });
    unroll<Terms>([&](int i) {
      Real const weight = weights[term + i];
      unroll<Rows>([&](int row) {
        unroll<Width>([&](int e) {
          sums[row].elements[e] += rounded_product(weight, as_real<Real>(values[i][row].elements[e]));
        });
      });
    });
  }
};

}  // namespace detail
}  // namespace weir::inline v1
