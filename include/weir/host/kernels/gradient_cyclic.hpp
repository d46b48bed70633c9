#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/diagonal_walk.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/product_dispatch.hpp"

namespace weir::inline v1 {
namespace detail {

/// The gradient of the values of a cyclic design: lanes are rows that follow each other, and a diagonal leads
/// them to columns that do. Sums over samples have the order of `GradientGathered`: of 64 at a time, as many
/// chains as it has lanes, added pairwise.
///
/// A part works on a block of rows, whose dy is packed into the second-level cache and whose x, piece by
/// piece, into the first.
template <class In, class Number>
struct GradientCyclic {
  using Real = Number;

  static constexpr bool permutes = false;
  static constexpr std::size_t together = 64;  // samples
  // Of a piece. With the lanes behind it no power of two, which would put all samples into a few sets.
  static constexpr std::size_t width = (std::size_t{24} << 10) / sizeof(Real) / together;
  static constexpr std::size_t block = (std::size_t{224} << 10) / sizeof(Real) / together;

  /// Whether there is a vector of rows.
  static bool takes(CyclicLayout const& layout) {
    return layout.size != 0 && layout.order >= 64 / sizeof(Real);
  }

  static ProductParts parts_of(CyclicLayout const& layout, std::size_t samples, std::size_t threads) {
    bool const is_small = layout.value_count() * samples < shared_from_products;
    return {layout.order, block, 64 / sizeof(Real), 1, is_small ? 1 : threads};
  }

  CyclicLayout const& layout;
  SampleSource<In> dy;
  SampleSource<In> x;
  std::uint32_t tap;  // of x
  Real* gradient;
  GradientMode mode;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    constexpr std::size_t stride = width + lanes;
    alignas(64) Real inputs[stride * together];
    alignas(64) Real outputs[block * together];
    Walk walks[block / lanes];
    std::size_t const begin = part * parts.block;
    std::size_t const end = smaller(layout.order, begin + parts.block);
    std::size_t const units = (end - begin + lanes - 1) / lanes;
    // The last rows, where they are fewer than lanes, are computed along with some before them.
    auto const first_of = [&](std::size_t unit) __attribute__((always_inline)) {
      return smaller(begin + unit * lanes, layout.order - lanes);
    };
    for (std::size_t sample = 0; sample < x.samples; sample += together) {
      std::size_t const rows = smaller(together, x.samples - sample);
      bool const is_first = sample == 0 && mode == GradientMode::overwrite;
      for (std::size_t unit = 0; unit < units; ++unit) {
        pack<lanes>(dy, 0, sample, rows, first_of(unit), lanes, lanes, outputs + unit * together * lanes);
        walks[unit] = Walk(layout, first_of(unit), 1);
      }
      for (std::size_t first = 0; first < layout.order; first += width) {
        std::size_t const last = smaller(layout.order, first + width);
        std::size_t const there = smaller(layout.order, last + lanes) - first;
        pack<lanes>(x, tap, sample, rows, first, there, stride, inputs);
        // Columns that have come around.
        pack<lanes>(x, tap, sample, rows, 0, last + lanes - first - there, stride, inputs + there);
        for (std::size_t unit = 0; unit < units; ++unit) {
          std::size_t const row = first_of(unit);
          add_diagonals<lanes>(walks[unit], row, begin + unit * lanes - row, first, last, rows, is_first,
                               inputs, outputs + unit * together * lanes);
        }
      }
    }
  }

 private:
  using Walk = DiagonalWalk<false>;

  template <int Count>
  [[gnu::always_inline]] static void pack(SampleSource<In> const& source, std::uint32_t tap,
                                          std::size_t sample, std::size_t rows, std::size_t first,
                                          std::size_t count, std::size_t stride, Real* to) {
    constexpr std::size_t step = Count < 2 ? 1 : Count / 2;  // what `pack_rows` turns around at a time
    for (std::size_t row = 0; row < rows; row += step) {
      pack_rows<Real, Count, In>(source, tap, sample + row, smaller(step, rows - row), first, count, count,
                                 stride, to + row * stride);
    }
  }

  /// All diagonals that lead `row` to columns first .. last, for a vector of rows whose first `done` are not
  /// wanted.
  template <int Count>
  [[gnu::always_inline]] void add_diagonals(Walk& from, std::size_t row, std::size_t done, std::size_t first,
                                            std::size_t last, std::size_t rows, bool is_first,
                                            Real const* inputs, Real const* outputs) const {
    Walk walk = from;
    for (std::size_t column; (column = static_cast<std::size_t>(walk.input(layout))) < last;) {
      Real* const to = gradient + walk.diagonal() * std::size_t{layout.order} + row;
      Real const* const numbers = inputs + (column - first);
      walk.next(layout);
      std::size_t const second = static_cast<std::size_t>(walk.input(layout));
      if (second >= last) {
        add_sums<Count, 1>({numbers}, {to}, done, rows, is_first, outputs);
        break;
      }
      Real* const second_to = gradient + walk.diagonal() * std::size_t{layout.order} + row;
      add_sums<Count, 2>({numbers, inputs + (second - first)}, {to, second_to}, done, rows, is_first,
                         outputs);
      walk.next(layout);
    }
    from = walk;
  }

  template <int Diagonals>
  struct Inputs {
    Real const* at[Diagonals];
  };
  template <int Diagonals>
  struct Gradients {
    Real* at[Diagonals];
  };

  template <int Count, int Diagonals>
  [[gnu::always_inline]] void add_sums(Inputs<Diagonals> inputs, Gradients<Diagonals> to, std::size_t done,
                                       std::size_t rows, bool is_first, Real const* outputs) const {
    Lanes<Real, Count> sum[Diagonals];
    add_chains<Count, Diagonals, 0, 1>(inputs, rows, outputs, sum);
    repeat<Diagonals>([&](auto k) __attribute__((always_inline)) {
      // A copy, because nvcc does not know that what lies in an array is a vector.
      Lanes<Real, Count> const added = sum[k];
      if (done == 0) {
        Lanes<Real, Count> all = {};
        if (!is_first) load<Real, Count>(to.at[k], all);
        all += added;
        store<Real, Count>(all, to.at[k]);
      } else {
        for (std::size_t lane = done; lane < Count; ++lane) {
          Real const old = is_first ? Real{0} : to.at[k][lane];
          to.at[k][lane] = old + static_cast<Real>(added[lane]);
        }
      }
    });
  }

  /// The chains `Chain`, `Chain + Step`, .. of the samples, added pairwise.
  template <int Count, int Diagonals, int Chain, int Step>
  [[gnu::always_inline]] static void add_chains(Inputs<Diagonals> const& inputs, std::size_t rows,
                                                Real const* outputs, Lanes<Real, Count>* sum) {
    using Values = Lanes<Real, Count>;
    constexpr std::size_t stride = width + Count;
    if constexpr (Step < Count) {
      Values other[Diagonals];
      add_chains<Count, Diagonals, Chain, 2 * Step>(inputs, rows, outputs, sum);
      add_chains<Count, Diagonals, Chain + Step, 2 * Step>(inputs, rows, outputs, other);
      repeat<Diagonals>([&](auto k) __attribute__((always_inline)) {
        Values both = sum[k];
        Values const second = other[k];
        both += second;
        sum[k] = both;
      });
    } else {
      repeat<Diagonals>([&](auto k) __attribute__((always_inline)) { sum[k] = Values{}; });
      for (std::size_t sample = Chain; sample < rows; sample += Count) {
        Values factor;
        load<Real, Count>(outputs + sample * Count, factor);
        repeat<Diagonals>([&](auto k) __attribute__((always_inline)) {
          Values numbers;
          load<Real, Count>(inputs.at[k] + sample * stride, numbers);
          fuse_into<Real, Count>(numbers, factor, sum[k]);
        });
      }
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
