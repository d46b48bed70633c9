#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/diagonal_walk.hpp"
#include "weir/host/kernels/finish_outputs.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/product_dispatch.hpp"

namespace weir::inline v1 {
namespace detail {

/// y = x W^T, or with `Transposed` dx = dy W, for a cyclic design: lanes are outputs that follow each other,
/// and a diagonal leads them to inputs that do. An output is one chain of fused multiply-adds in the order of
/// its inputs, as in `MultiplyGathered`.
///
/// A part works on a block of outputs whose values stay in the second-level cache, for some samples at a
/// time, whose inputs are packed piece by piece into the first-level cache.
template <class Value, class In, class Out, bool Transposed>
struct MultiplyCyclic {
  using Real = AccumulatorOf<Value>;

  static constexpr bool permutes = false;
  static constexpr std::size_t scratch_bytes = std::size_t{32} << 10;  // of inputs
  static constexpr std::size_t sums_bytes = std::size_t{64} << 10;
  static constexpr std::size_t block_bytes = std::size_t{400} << 10;  // of values
  static constexpr int chains = 8;       // vectors of sums: samples, or outputs of one sample
  static constexpr int few_samples = 4;  // below, one after another

  /// Whether there is a vector of outputs.
  static bool takes(CyclicLayout const& layout) {
    return layout.size != 0 && layout.order >= 64 / sizeof(Real);
  }

  static ProductParts parts_of(CyclicLayout const& layout, std::size_t samples, std::size_t threads) {
    std::size_t const lanes = 64 / sizeof(Real);
    std::size_t const of_sums = sums_bytes / sizeof(Real) / chains;
    std::size_t const of_values = block_bytes / (layout.size * sizeof(Value));
    bool const is_small = layout.value_count() * samples < shared_from_products;
    std::size_t const workers = is_small ? 1 : threads;
    if (samples < few_samples) return {layout.order, of_sums, chains * lanes, samples, workers};
    return {layout.order, smaller(of_sums, of_values), lanes, samples, workers};
  }

  CyclicLayout const& layout;
  Value const* values;
  SampleSource<In> in;
  BatchView<Out, HostSpace> out;
  ProductEpilogue<Real> epilogue;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    std::size_t const begin = part % parts.blocks * parts.block;
    std::size_t const end = smaller(layout.order, begin + parts.block);
    std::size_t sample = part / parts.blocks * parts.samples;
    std::size_t const sample_end = smaller(in.samples, sample + parts.samples);
    Scratch<lanes> scratch;
    while (sample < sample_end) {
      if (sample_end - sample < few_samples) {
        std::size_t const whole = begin + (end - begin) / (chains * lanes) * (chains * lanes);
        multiply<lanes, chains, 1>(begin, whole, sample, sample_end, scratch);
        multiply<lanes, 1, 1>(whole, end, sample, sample_end, scratch);
        sample += 1;
      } else {
        multiply<lanes, 1, chains>(begin, end, sample, sample_end, scratch);
        sample += chains;
      }
    }
  }

 private:
  using Walk = DiagonalWalk<Transposed>;

  template <int Count>
  struct Scratch {
    // Before and behind the inputs of a sample there is room for as many as there are lanes.
    alignas(64) Real inputs[scratch_bytes / sizeof(Real) + 2 * chains * Count];
    alignas(64) Real sums[sums_bytes / sizeof(Real)];
    Walk walks[sums_bytes / sizeof(Real) / chains / Count];
  };

  /// The outputs begin .. end for `Samples` samples, `Vectors` vectors of `Count` at a time. The last ones,
  /// where they are fewer, are computed along with some before them.
  template <int Count, int Vectors, int Samples>
  [[gnu::always_inline]] void multiply(std::size_t begin, std::size_t end, std::size_t sample,
                                       std::size_t sample_end, Scratch<Count>& scratch) const {
    constexpr std::size_t lanes = std::size_t{Count} * Vectors;
    constexpr std::size_t of_unit = lanes * Samples;
    constexpr std::size_t width = scratch_bytes / sizeof(Real) / Samples;
    constexpr std::size_t stride = width + 2 * lanes;
    std::size_t const units = (end - begin + lanes - 1) / lanes;
    if (units == 0) return;
    auto const first_of = [&](std::size_t unit) __attribute__((always_inline)) {
      return smaller(begin + unit * lanes, layout.order - lanes);
    };
    for (std::size_t i = 0; i < units * of_unit; ++i) scratch.sums[i] = Real{0};
    for (std::size_t row = 0; row < Samples; ++row) {
      for (std::size_t i = 0; i < lanes; ++i) scratch.inputs[row * stride + i] = Real{0};
    }
    for (std::uint32_t number = 0; number < in.taps; ++number) {
      std::uint32_t const tap = in.tap(number);
      Value const* const of_tap = values + tap * layout.value_count();
      for (std::size_t first = 0; first < layout.order; first += width) {
        std::size_t const last = smaller(layout.order, first + width);
        std::size_t const packed = smaller(layout.order, last + lanes) - first;
        pack_rows<Real, Count, In>(in, tap, sample, Samples, first, packed, last - first + lanes, stride,
                                   scratch.inputs + lanes);
        for (std::size_t unit = 0; unit < units; ++unit) {
          Walk& walk = scratch.walks[unit];
          std::size_t const output = first_of(unit);
          if (first == 0) walk = Walk(layout, output, lanes);
          add_terms<Count, Vectors, Samples>(walk, of_tap, output, first, last, stride,
                                             scratch.inputs + lanes, scratch.sums + unit * of_unit);
        }
      }
    }
    std::size_t const samples = smaller(Samples, sample_end - sample);
    std::size_t places[Samples];
    for (std::size_t row = 0; row < samples; ++row) places[row] = in.place(sample + row);
    for (std::size_t unit = 0; unit < units; ++unit) {
      std::size_t const output = first_of(unit);
      std::size_t const done = begin + unit * lanes - output;
      Real* const own = scratch.sums + unit * of_unit;
      if constexpr (Samples == chains && Count == 2 * Samples) {
        if (!out.is_batch_major() && samples == Samples && done == 0) {
          finish_turned<Real, Count>(epilogue, output, own, out, sample);
          continue;
        }
      }
      for (std::size_t row = 0; row < samples; ++row) {
        for (std::size_t i = 0; i < lanes; i += Count) {
          Lanes<Real, Count> sum;
          load_first<Real, Count>(own + row * lanes + i + done, Count - done, sum);
          finish_outputs<Real, Count>(epilogue, output + i + done, Count - done, sum, out, places[row]);
        }
      }
    }
  }

  /// What inputs first .. last contribute to the outputs from `output` on. Input first lies at `inputs`.
  template <int Count, int Vectors, int Samples>
  [[gnu::always_inline]] void add_terms(Walk& from, Value const* of_tap, std::size_t output,
                                        std::size_t first, std::size_t last, std::size_t stride,
                                        Real const* inputs, Real* sums) const {
    using Values = Lanes<Real, Count>;
    constexpr std::size_t lanes = std::size_t{Count} * Vectors;
    Walk walk = from;
    // Diagonals that come around within the lanes lead some of them to the first inputs, others to the last.
    for (; walk.input(layout) < 0; walk.next(layout)) {
      std::ptrdiff_t const input = walk.input(layout);
      add_part<Count, Samples, lanes>(walk.diagonal(), of_tap, output, input,
                                      static_cast<std::size_t>(-input), lanes, stride, inputs + input, sums);
    }
    std::size_t const whole_end = smaller(last, layout.order - lanes + 1);
    Values sum[Samples * Vectors];
    repeat<Samples * Vectors>([&](auto i) __attribute__((always_inline)) {
      load<Real, Count>(sums + i * Count, sum[i]);
    });
    for (std::size_t input; (input = static_cast<std::size_t>(walk.input(layout))) < whole_end;
         walk.next(layout)) {
      Value const* const value =
          of_tap + walk.diagonal() * std::size_t{layout.order} + (Transposed ? input : output);
      Real const* const numbers_at = inputs + (input - first);
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        Values factor;
        load<Real, Count>(value + i * Count, factor);
        repeat<Samples>([&](auto row) __attribute__((always_inline)) {
          Values numbers;
          load<Real, Count>(numbers_at + row * stride + i * Count, numbers);
          fuse_into<Real, Count>(numbers, factor, sum[row * Vectors + i]);
        });
      });
    }
    repeat<Samples * Vectors>([&](auto i) __attribute__((always_inline)) {
      store<Real, Count>(sum[i], sums + i * Count);
    });
    for (std::size_t input; (input = static_cast<std::size_t>(walk.input(layout))) < last;
         walk.next(layout)) {
      add_part<Count, Samples, lanes>(walk.diagonal(), of_tap, output, static_cast<std::ptrdiff_t>(input), 0,
                                      layout.order - input, stride, inputs + (input - first), sums);
    }
    from = walk;
  }

  /// The term of a diagonal for the lanes begin .. end alone.
  template <int Count, int Samples, std::size_t LaneCount>
  [[gnu::always_inline]] void add_part(std::uint32_t diagonal, Value const* of_tap, std::size_t output,
                                       std::ptrdiff_t input, std::size_t begin, std::size_t end,
                                       std::size_t stride, Real const* inputs, Real* sums) const {
    using Values = Lanes<Real, Count>;
    Value const* const of_diagonal = of_tap + diagonal * std::size_t{layout.order};
    for (std::size_t i = 0; i < LaneCount; i += Count) {
      Real buffer[Count] = {};
      LaneNumber<Real> chosen[Count] = {};
      for (std::size_t lane = larger(begin, i); lane < smaller(end, i + Count); ++lane) {
        std::size_t const place = Transposed ? static_cast<std::size_t>(input) + lane : output + lane;
        buffer[lane - i] = convert<Real>(of_diagonal[place]);
        chosen[lane - i] = ~LaneNumber<Real>{0};
      }
      Values factor;
      Lanes<LaneNumber<Real>, Count> mask;
      __builtin_memcpy(&factor, buffer, sizeof factor);
      __builtin_memcpy(&mask, chosen, sizeof mask);
      for (std::size_t row = 0; row < Samples; ++row) {
        Values numbers, old, sum;
        load<Real, Count>(inputs + row * stride + i, numbers);
        load<Real, Count>(sums + row * LaneCount + i, old);
        sum = old;
        fuse_into<Real, Count>(numbers, factor, sum);
        choose<Count>(mask, sum, old);
        store<Real, Count>(old, sums + row * LaneCount + i);
      }
    }
  }

  /// `to = mask ? from : to`, lane by lane.
  template <int Count>
  [[gnu::always_inline]] static void choose(Lanes<LaneNumber<Real>, Count> const& mask,
                                            Lanes<Real, Count> const& from, Lanes<Real, Count>& to) {
    using Bits = Lanes<LaneNumber<Real>, Count>;
    to = reinterpret_cast<Lanes<Real, Count>>((reinterpret_cast<Bits>(from) & mask) |
                                              (reinterpret_cast<Bits>(to) & ~mask));
  }
};

}  // namespace detail
}  // namespace weir::inline v1
