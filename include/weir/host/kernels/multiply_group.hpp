#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/finish_outputs.hpp"
#include "weir/host/kernels/group_terms.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/product_dispatch.hpp"

namespace weir::inline v1 {
namespace detail {

/// y = x W^T, or with `Transposed` dx = dy W, for a group design of p = 2 and batch-major operands.
///
/// A part works on a block of outputs whose values stay in the second-level cache, for some samples at a
/// time, whose inputs are packed piece by piece into the first-level cache. An output is one chain of fused
/// multiply-adds, in the order of cells and levels; with n below the number of lanes it is as many chains as
/// groups lie side by side, added pairwise.
template <class Value, class In, class Out, bool Transposed>
struct MultiplyGroup {
  using Real = AccumulatorOf<Value>;

  static constexpr bool permutes = true;  // lanes: not for every processor
  // Of inputs. Half of it is used unless a group is larger: caches of 32 KiB hold values, too.
  static constexpr std::size_t scratch_bytes = std::size_t{32} << 10;
  static constexpr std::size_t sums_bytes = std::size_t{64} << 10;
  static constexpr std::size_t block_bytes = std::size_t{400} << 10;  // of values
  static constexpr std::size_t samples_together = 8;

  /// Whether the processor is made for it, and the group fits the scratch memory.
  static bool takes(GroupLayout const& layout) {
    return permutes_lanes() && layout.shape.prime == 2 && layout.shape.group > 1 &&
           layout.shape.group * sizeof(Real) * samples_together <= scratch_bytes;
  }

  static ProductParts parts_of(GroupLayout const& layout, std::size_t samples, std::size_t threads) {
    std::size_t const n = layout.shape.group;
    std::size_t const outputs = Transposed ? layout.shape.groups : layout.shape.classes;
    std::size_t const inputs = Transposed ? layout.shape.classes : layout.shape.groups;
    std::size_t const lanes = 64 / sizeof(Real);
    std::size_t const vectors = sums_bytes / 64 / samples_together;
    std::size_t const of_sums = n >= lanes ? vectors * lanes / n : Transposed ? vectors * lanes / n : vectors;
    std::size_t const of_values = block_bytes / (inputs * layout.shape.levels * n * sizeof(Value));
    std::size_t const unit = n >= lanes ? 1 : Transposed ? 16 : lanes / n;  // no vector is of two parts
    bool const is_small = layout.value_count() * samples < shared_from_products;
    return {outputs, smaller(of_sums, of_values), unit, samples, is_small ? 1 : threads};
  }

  GroupLayout const& layout;
  Value const* values;
  SampleSource<In> in;
  BatchView<Out, HostSpace> out;
  ProductEpilogue<Real> epilogue;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    using Vectors = GroupVectors<Real, lanes>;
    if constexpr (Transposed) {
      run_terms<Vectors, WideTransposedTerms, PackedTransposedTerms, lanes>(part);
    } else {
      run_terms<Vectors, WideForwardTerms, PackedForwardTerms, lanes>(part);
    }
  }

 private:
  template <class Vectors, template <class, class> class Wide, template <class, class> class Packed,
            int Count>
  [[gnu::always_inline]] void run_terms(std::size_t part) const {
    Vectors const v(layout);
    // Of vectors of 64 bytes two outputs of eight samples would fill all registers.
    constexpr int outputs = Count * sizeof(Real) == 64 ? 1 : 2;
    if (v.is_wide) return run_part<Vectors, Wide<Vectors, Value>, Count, outputs>(v, part);
    if constexpr (Count > 1) {
      run_part<Vectors, Packed<Vectors, Value>, Count, 2>(v, part);
    }
  }

  template <class Vectors, class Terms, int Count, int Outputs>
  [[gnu::always_inline]] void run_part(Vectors const& v, std::size_t part) const {
    constexpr std::size_t together = Count * sizeof(Real) == 64 ? samples_together : samples_together / 2;
    std::size_t const cell = part % parts.blocks * parts.block;
    std::size_t const cells = Transposed ? v.groups : v.classes;
    std::size_t const cell_end = smaller(cells, cell + parts.block);
    // Vectors of outputs: several cells may share one, but never across two blocks.
    std::size_t const shared = Transposed ? v.packed : 1;
    std::size_t const begin = cell * v.parts / shared;
    std::size_t const end = (cell_end * v.parts + shared - 1) / shared;
    std::size_t sample = part / parts.blocks * parts.samples;
    std::size_t const sample_end = smaller(in.samples, sample + parts.samples);
    alignas(64) Real scratch[scratch_bytes / sizeof(Real) + (together + 1) * Count];
    alignas(64) Real sums[sums_bytes / sizeof(Real)];
    std::size_t const at_once = sums_bytes / sizeof(Real) / ((end - begin) * together * Count) * together;
    // The last few samples go one by one where most of the vectors of sums would be empty.
    std::size_t const few = (sample_end - sample) % together;
    bool const one_by_one = Count > 1 && few * 2 < together;
    std::size_t const together_end = one_by_one ? sample_end - few : sample_end;
    while (sample < together_end) {
      std::size_t const last = smaller(together_end, sample + at_once);
      multiply<Vectors, Terms, Count, together, Outputs>(v, begin, end, sample, last, scratch, sums);
      sample = last;
    }
    if constexpr (Count > 1) {
      for (; sample < sample_end; ++sample) {
        multiply<Vectors, Terms, Count, 1, samples_together>(v, begin, end, sample, sample + 1, scratch,
                                                             sums);
      }
    }
  }

  /// All outputs begin .. end of the block, `Samples` samples at a time, whose inputs are packed. The values
  /// that belong to these inputs are used for all samples before the next inputs' turn comes.
  template <class Vectors, class Terms, int Count, int Samples, int Outputs>
  [[gnu::always_inline]] void multiply(Vectors const& v, std::size_t begin, std::size_t end,
                                       std::size_t sample, std::size_t sample_end, Real* scratch,
                                       Real* sums) const {
    constexpr std::size_t width = scratch_bytes / sizeof(Real) / Samples;
    constexpr std::size_t stride = width + Count;
    std::size_t const cells = Transposed ? v.classes : v.groups;
    std::size_t const copied = Terms::copied_offsets(v);
    std::size_t const unit = v.is_wide ? 1 : 16;
    std::size_t together = larger(1, width / 2 / v.n);
    if (copied != 0) together = smaller(together, TermScratch::capacity / copied / unit * unit);
    std::size_t const of_group = (end - begin) * Samples * Count;  // sums
    if (in.taps == 0) clear_sums((sample_end - sample + Samples - 1) / Samples * of_group, sums);
    for (std::uint32_t number = 0; number < in.taps; ++number) {
      std::uint32_t const tap = in.tap(number);
      Value const* const of_tap = values + tap * layout.value_count();
      for (std::size_t first = 0; first < cells; first += together) {
        std::size_t const last = smaller(cells, first + together);
        std::size_t const from = first * v.n;
        bool const is_first = number == 0 && first == 0;
        Real* of_samples = sums;
        for (std::size_t row = sample; row < sample_end; row += Samples, of_samples += of_group) {
          pack_rows<Real, Count, In>(in, tap, row, Samples, from, smaller(in.features(), last * v.n) - from,
                                     smaller((last - first) * v.n + Count, stride), stride, scratch);
          for (std::size_t u = begin; u < end; u += Outputs) {
            add_terms<Vectors, Terms, Count, Samples, Outputs>(v, of_tap, u, end, first, last, is_first,
                                                               scratch, stride,
                                                               of_samples + (u - begin) * Samples * Count);
          }
        }
      }
    }
    Real* of_samples = sums;
    for (std::size_t row = sample; row < sample_end; row += Samples, of_samples += of_group) {
      finish_group<Vectors, Count, Samples>(v, begin, end, row, smaller(Samples, sample_end - row),
                                            of_samples);
    }
  }

  /// Where no tap adds to them.
  [[gnu::noinline]] static void clear_sums(std::size_t count, Real* sums) {
    for (std::size_t i = 0; i < count; ++i) sums[i] = Real{0};
  }

  template <class Vectors, int Count, int Samples>
  [[gnu::always_inline]] void finish_group(Vectors const& v, std::size_t begin, std::size_t end,
                                           std::size_t sample, std::size_t samples, Real* sums) const {
    std::size_t places[Samples];
    for (std::size_t row = 0; row < samples; ++row) places[row] = in.place(sample + row);
    if constexpr (!Transposed && Count > 1) {
      if (!v.is_wide) return finish_packed<Vectors, Count, Samples>(v, begin, end, places, samples, sums);
    }
    for (std::size_t u = begin; u < end; ++u) {
      Real* const own = sums + (u - begin) * Samples * Count;
      if constexpr (Count == 2 * Samples) {
        bool const is_whole = samples == Samples && (u + 1) * Count <= out.features;
        if (!out.is_batch_major() && is_whole) {
          finish_turned<Real, Count>(epilogue, u * Count, own, out, sample);
          continue;
        }
      }
      for (std::size_t row = 0; row < samples; ++row) {
        finish<Count>(u * Count, own + row * Count, places[row]);
      }
    }
  }

  template <class Vectors, class Terms, int Count, int Samples, int Outputs>
  [[gnu::always_inline]] void add_terms(Vectors const& v, Value const* of_tap, std::size_t u, std::size_t end,
                                        std::size_t first, std::size_t last, bool is_first,
                                        Real const* inputs, std::size_t stride, Real* sums) const {
    using Values = Lanes<Real, Count>;
    Terms terms[Outputs];
    TermScratch scratch[Outputs];
    Values sum[Outputs][Samples];
    std::size_t const outputs = smaller(Outputs, end - u);
    repeat<Outputs>([&](auto o) __attribute__((always_inline)) {
      // What lies behind the last output is computed as if it were the last, and dropped.
      std::size_t const output = smaller(o, outputs - 1);
      terms[o].start(v, of_tap, u + output, first, last, scratch[o]);
      repeat<Samples>([&](auto row) __attribute__((always_inline)) {
        if (is_first) {
          sum[o][row] = Values{};
        } else {
          load<Real, Count>(sums + (output * Samples + row) * Count, sum[o][row]);
        }
      });
    });
    for (std::size_t step = Terms::steps(v, last - first); step != 0; --step) {
      repeat<Outputs>([&](auto o) __attribute__((always_inline)) {
        std::size_t at;
        typename Vectors::Index index;
        Values factor;
        terms[o].next(v, step == 1, at, index, factor);
        Real const* const row_at = inputs + at;
        repeat<Samples>([&](auto row) __attribute__((always_inline)) {
          Values input;
          load<Real, Count>(row_at + row * stride, input);
          permute<Real, Count>(input, index, input);
          fuse_into<Real, Count>(input, factor, sum[o][row]);
        });
      });
    }
    repeat<Outputs>([&](auto o) __attribute__((always_inline)) {
      if (o >= outputs) return;
      repeat<Samples>([&](auto row) __attribute__((always_inline)) {
        store<Real, Count>(sum[o][row], sums + (o * Samples + row) * Count);
      });
    });
  }

  /// Outputs of `v.packed` classes at a time: the sums of a class are added up to n, which fill a vector with
  /// those of the next classes.
  template <class Vectors, int Count, int Samples>
  [[gnu::always_inline]] void finish_packed(Vectors const& v, std::size_t begin, std::size_t end,
                                            std::size_t const* places, std::size_t samples,
                                            Real* sums) const {
    alignas(64) Real together[Count] = {};
    for (std::size_t u = begin; u < end; u += v.packed) {
      std::size_t const classes = smaller(v.packed, end - u);
      for (std::size_t row = 0; row < samples; ++row) {
        Real* own = sums + ((u - begin) * Samples + row) * Count;
        for (std::size_t i = 0; i < classes; ++i, own += Samples * Count) {
          add_halves<Count / 2>(v.n, own, together + i * v.n);
        }
        finish<Count>(u * v.n, together, places[row]);
      }
    }
  }

  /// Adds vectors of n lanes that lie one after another, the two halves of them all at first.
  template <int Half>
  [[gnu::always_inline]] static void add_halves(std::uint32_t n, Real* sums, Real* to) {
    Lanes<Real, Half> low, high;
    load<Real, Half>(sums, low);
    load<Real, Half>(sums + Half, high);
    low += high;
    if (n == Half) return store<Real, Half>(low, to);
    store<Real, Half>(low, sums);
    if constexpr (Half > 1) add_halves<Half / 2>(n, sums, to);
  }

  template <int Count>
  [[gnu::always_inline]] void finish(std::size_t output, Real const* sums, std::size_t place) const {
    if (output >= out.features) return;
    Lanes<Real, Count> sum;
    load<Real, Count>(sums, sum);
    finish_outputs<Real, Count>(epilogue, output, smaller(Count, out.features - output), sum, out, place);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
