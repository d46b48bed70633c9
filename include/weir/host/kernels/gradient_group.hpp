#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/group_terms.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/product_dispatch.hpp"

namespace weir::inline v1 {
namespace detail {

/// The gradient of the values of a group design of p = 2: a vector of dy times a permuted vector of x, summed
/// over samples in their order. A part works on some classes. For some samples at a time, their dy is packed
/// into the second-level cache and x, piece by piece, into the first; their sum is a chain of fused
/// multiply-adds of its own, added to what is there, so that few terms are added to a large sum.
template <class In, class Number>
struct GradientGroup {
  using Real = Number;

  static constexpr bool permutes = true;  // lanes: not for every processor
  static constexpr std::size_t input_bytes = std::size_t{32} << 10;
  static constexpr std::size_t output_bytes = std::size_t{64} << 10;

  static bool takes(GroupLayout const& layout) {
    return permutes_lanes() && layout.shape.prime == 2 && layout.shape.group > 1 &&
           layout.shape.group * sizeof(Real) * 8 <= input_bytes;
  }

  /// Features of x that are packed at a time.
  static std::size_t width_of(std::uint32_t n) {
    constexpr std::size_t least = 1024 / sizeof(Real);
    return smaller(larger(least, std::size_t{4} * n), 4 * least);
  }

  static ProductParts parts_of(GroupLayout const& layout, std::size_t samples, std::size_t threads) {
    std::size_t const n = layout.shape.group;
    std::size_t const together = input_bytes / sizeof(Real) / width_of(layout.shape.group);
    bool const is_small = layout.value_count() * samples < shared_from_products;
    ProductParts parts(layout.shape.classes, output_bytes / sizeof(Real) / together / n, 1, 1,
                       is_small ? 1 : threads);
    return parts;
  }

  GroupLayout const& layout;
  SampleSource<In> dy;
  SampleSource<In> x;
  std::uint32_t tap;  // of x
  Real* gradient;
  GradientMode mode;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    using Vectors = GroupVectors<Real, lanes>;
    Vectors const v(layout);
    std::size_t const begin = part * parts.block;
    std::size_t const end = smaller(v.classes, begin + parts.block);
    if (v.is_wide) {
      run_part<Vectors, WideForwardTerms<Vectors, Real>, lanes>(v, begin, end);
    } else {
      run_part<Vectors, PackedForwardTerms<Vectors, Real>, lanes>(v, begin, end);
    }
    clear_padding(begin, end);
  }

 private:
  static constexpr int outputs_together = 2;
  static constexpr int terms_together = 4;

  template <class Vectors, class Terms, int Count>
  [[gnu::always_inline]] void run_part(Vectors const& v, std::size_t begin, std::size_t end) const {
    constexpr std::size_t row_pad = Count;
    alignas(64) Real inputs[input_bytes / sizeof(Real) + 32 * row_pad];
    alignas(64) Real outputs[output_bytes / sizeof(Real) + 32 * row_pad];
    std::size_t const width = width_of(v.n);
    std::size_t const together = input_bytes / sizeof(Real) / width;
    std::size_t const height = (end - begin) * v.n;
    std::size_t const cells = width / v.n;
    std::size_t const first_output = begin * v.n;
    if (x.samples == 0 && mode == GradientMode::overwrite) {
      std::size_t const values = v.groups * v.levels * v.n;
      for (std::size_t i = begin * values; i < end * values; ++i) gradient[i] = Real{0};
    }
    for (std::size_t sample = 0; sample < x.samples; sample += together) {
      std::size_t const rows = smaller(together, x.samples - sample);
      bool const is_first = sample == 0 && mode == GradientMode::overwrite;
      // Vector by vector, so that the samples of one follow each other.
      for (std::size_t feature = 0; feature < height; feature += Count) {
        std::size_t const at = smaller(first_output + feature, dy.features());
        pack_rows<Real, Count, In>(dy, 0, sample, rows, at, smaller(dy.features() - at, Count), Count, Count,
                                   outputs + feature * rows);
      }
      for (std::size_t first = 0; first < v.groups; first += cells) {
        std::size_t const last = smaller(v.groups, first + cells);
        std::size_t const from = first * v.n;
        pack_rows<Real, Count, In>(x, tap, sample, rows, from, smaller(x.features(), last * v.n) - from,
                                   smaller((last - first) * v.n + Count, width + row_pad), width + row_pad,
                                   inputs);
        for (std::size_t u = begin * v.parts; u < end * v.parts; u += outputs_together) {
          add_samples<Vectors, Terms, Count>(v, u, begin, end, first, last, is_first, rows, inputs,
                                             width + row_pad, outputs);
        }
      }
    }
  }

  /// All terms first .. last of two vectors of rows.
  template <class Vectors, class Terms, int Count>
  [[gnu::always_inline]] void add_samples(Vectors const& v, std::size_t u, std::size_t begin, std::size_t end,
                                          std::size_t first, std::size_t last, bool is_first,
                                          std::size_t rows, Real const* inputs, std::size_t input_stride,
                                          Real const* outputs) const {
    using Values = Lanes<Real, Count>;
    using Index = typename Vectors::Index;
    Terms terms[outputs_together];
    TermScratch scratch[outputs_together];
    std::size_t output_at[outputs_together];
    Index spread[outputs_together];
    bool const is_one = u + 1 == end * v.parts;
    repeat<outputs_together>([&](auto o) __attribute__((always_inline)) {
      std::size_t const output = is_one ? u : u + o;
      terms[o].start(v, gradient, output, first, last, scratch[o]);
      std::size_t const row = v.is_wide ? output * Count - begin * v.n : (output - begin) * v.n;
      output_at[o] = (row & ~static_cast<std::size_t>(Count - 1)) * rows;
      spread[o] = (v.numbers & static_cast<LaneNumber<Real>>(v.n - 1)) |
                  static_cast<LaneNumber<Real>>(row & (Count - 1));
    });
    std::size_t const steps = Terms::steps(v, last - first);
    std::size_t const rest = v.is_wide ? 0 : (last - first) * v.levels % v.packed;
    for (std::size_t step = 0; step < steps; step += terms_together) {
      std::size_t at[outputs_together][terms_together];
      Index index[outputs_together][terms_together];
      Real* to[outputs_together][terms_together];
      Values sum[outputs_together][terms_together];
      repeat<outputs_together>([&](auto o) __attribute__((always_inline)) {
        repeat<terms_together>([&](auto k) __attribute__((always_inline)) {
          if (step + k < steps) {
            Values ignored;
            to[o][k] = gradient + (terms[o].values - gradient);
            terms[o].next(v, step + k + 1 == steps, at[o][k], index[o][k], ignored);
          } else if constexpr (k > 0) {
            to[o][k] = to[o][k - 1];
            at[o][k] = at[o][k - 1];
            index[o][k] = index[o][k - 1];
          }
          sum[o][k] = Values{};
        });
      });
      Real const* input = inputs;
      Real const* output = outputs;
      for (std::size_t row = 0; row < rows; ++row, input += input_stride, output += Count) {
        repeat<outputs_together>([&](auto o) __attribute__((always_inline)) {
          Values factor;
          load<Real, Count>(output + output_at[o], factor);
          if (!v.is_wide) permute<Real, Count>(factor, spread[o], factor);
          repeat<terms_together>([&](auto k) __attribute__((always_inline)) {
            Values numbers;
            load<Real, Count>(input + at[o][k], numbers);
            permute<Real, Count>(numbers, index[o][k], numbers);
            fuse_into<Real, Count>(numbers, factor, sum[o][k]);
          });
        });
      }
      repeat<outputs_together>([&](auto o) __attribute__((always_inline)) {
        if (o > 0 && is_one) return;
        repeat<terms_together>([&](auto k) __attribute__((always_inline)) {
          if (step + k >= steps) return;
          std::size_t const part = step + k + 1 == steps ? rest * v.n : 0;
          Values all = sum[o][k];
          if (part != 0) return add_first<Count>(all, part, is_first, to[o][k]);
          if (!is_first) {
            Values before;
            load<Real, Count>(to[o][k], before);
            all += before;
          }
          store<Real, Count>(all, to[o][k]);
        });
      });
    }
  }

  /// The first `count` lanes, added to what is there or in its place.
  template <int Count>
  [[gnu::noinline]] static void add_first(Lanes<Real, Count> const& sum, std::size_t count, bool is_first,
                                          Real* to) {
    for (std::size_t lane = 0; lane < count; ++lane) {
      to[lane] = is_first ? static_cast<Real>(sum[lane]) : to[lane] + static_cast<Real>(sum[lane]);
    }
  }

  /// What lies outside the mask was multiplied with, too.
  void clear_padding(std::size_t begin, std::size_t end) const {
    auto const& shape = layout.shape;
    std::size_t const cut_rows = shape.outputs % shape.group;
    if (cut_rows != 0 && end == shape.classes) {
      for (std::uint32_t c = 0; c < shape.groups; ++c) clear_cell(shape.classes - 1, c);
    }
    if (shape.inputs % shape.group == 0) return;
    for (std::size_t a = begin; a < end; ++a) clear_cell(static_cast<std::uint32_t>(a), shape.groups - 1);
  }

  void clear_cell(std::uint32_t a, std::uint32_t c) const {
    auto const cell = layout.cell(a, c);
    for (std::uint32_t level = 0; level < layout.shape.levels; ++level) {
      std::uint32_t const offset = layout.offset(cell, level);
      for (std::uint32_t y = 0; y < layout.shape.group; ++y) {
        bool const is_live = y < layout.height(a) && (y ^ offset) < layout.width(c);
        if (!is_live) gradient[layout.value_index(a, c, level, y)] = Real{0};
      }
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
