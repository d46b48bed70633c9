#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/finish_outputs.hpp"
#include "weir/host/kernels/group_vectors.hpp"
#include "weir/host/kernels/multiply_group.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/product_dispatch.hpp"

namespace weir::inline v1 {
namespace detail {

/// dx = dy W of one sample, with the bits of `MultiplyGroup`. Each value is used once, so they are read in
/// the order in which they lie, while the sums of a part go through the first-level cache.
///
/// The sums of a cell stay exchanged by the low bits of its latest offset: values are multiplied where they
/// lie, and only sums change their lanes.
template <class Value, class In, class Out>
struct MultiplyGroupOnce {
  using Real = AccumulatorOf<Value>;
  using Several = MultiplyGroup<Value, In, Out, true>;

  static constexpr bool permutes = true;
  static constexpr std::size_t most_sums = (std::size_t{64} << 10) / sizeof(Real);
  static constexpr std::size_t most_lanes = 64 / sizeof(Real);

  static bool takes(GroupLayout const& layout, SampleSource<In> const& in) {
    bool const is_plain = in.samples == 1 && in.kind == SampleSource<In>::Kind::batch && in.is_batch_major();
    return is_plain && Several::takes(layout) && (is_wide(layout) || has_whole_vectors(layout));
  }

  static ProductParts parts_of(GroupLayout const& layout, std::size_t threads) {
    std::size_t const unit = is_wide(layout) ? 1 : most_lanes;
    bool const is_small = layout.value_count() < shared_from_products;
    return {layout.shape.groups, most_sums / layout.shape.group, unit, 1, is_small ? 1 : threads};
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
    GroupVectors<Real, lanes> const v(layout);
    std::size_t const begin = part * parts.block;
    std::size_t const cells = smaller(parts.block, v.groups - begin);
    alignas(64) Real sums[most_sums];
    std::uint16_t latest[most_sums / 2];  // offsets, by cell
    for (std::size_t i = 0; i < cells * v.n; ++i) sums[i] = Real{0};
    for (std::size_t cell = 0; cell < cells; ++cell) latest[cell] = 0;
    if (v.parts > 1 || v.levels > 1) return run_wide(v, begin, cells, sums, latest);
    if constexpr (lanes > 1) run_narrow(v, begin, cells, sums, latest);
  }

 private:
  static bool is_wide(GroupLayout const& layout) { return layout.shape.group >= most_lanes; }
  /// Whether cells side by side fill vectors with one level each.
  static bool has_whole_vectors(GroupLayout const& layout) {
    return layout.shape.levels == 1 && layout.shape.groups % (most_lanes / layout.shape.group) == 0;
  }

  /// The inputs of a class, then zeros.
  template <int Count>
  [[gnu::always_inline]] void pack_inputs(std::size_t a, std::size_t n, Real* to) const {
    std::size_t const first = a * n;
    std::size_t const there = in.features() > first ? in.features() - first : 0;
    pack_row<Real, Count>(in.batch.data + (there == 0 ? 0 : first), smaller(n, there), n, to);
  }

  template <class Vectors>
  [[gnu::always_inline]] void run_wide(Vectors const& v, std::size_t begin, std::size_t cells, Real* sums,
                                       std::uint16_t* latest) const {
    constexpr int lanes = Vectors::lanes;
    alignas(64) Real inputs[Several::scratch_bytes / Several::samples_together / sizeof(Real)];
    std::uint16_t changes[most_sums / 2];  // of offsets, by cell or by level
    for (std::size_t a = 0; a < v.classes; ++a) {
      pack_inputs<lanes>(a, v.n, inputs);
      Value const* from = values + (a * v.groups + begin) * v.levels * v.n;
      if (v.levels == 1) {
        change_offsets(v, a, begin, cells, latest, changes);
        for (std::size_t cell = 0; cell < cells; ++cell, from += v.n) {
          add_group(v, changes[cell], latest[cell], inputs, from, sums + cell * v.n);
        }
        continue;
      }
      for (std::size_t cell = 0; cell < cells; ++cell) {
        v.write_offsets(a, begin + cell, changes);
        for (std::uint32_t level = 0; level < v.levels; ++level, from += v.n) {
          std::uint16_t const offset = changes[level];
          add_group(v, offset ^ latest[cell], offset, inputs, from, sums + cell * v.n);
          latest[cell] = offset;
        }
      }
    }
    for (std::size_t cell = 0; cell < cells; ++cell) {
      typename Vectors::Index index;
      v.exchanged(latest[cell], index);
      for (std::uint32_t h = 0; h < v.n; h += lanes)
        finish<lanes>(index, sums + cell * v.n + h, (begin + cell) * v.n + h);
    }
  }

  /// Adds the values of one group to its sums, which become exchanged by `offset` instead of `offset ^
  /// change`.
  template <class Vectors>
  [[gnu::always_inline]] static void add_group(Vectors const& v, std::uint32_t change, std::uint32_t offset,
                                               Real const* inputs, Value const* from, Real* sums) {
    typename Vectors::Index index;
    v.exchanged(change, index);
    std::uint32_t const high = offset & ~(Vectors::lanes - 1u);
    for (std::uint32_t h = 0; h < v.n; h += Vectors::lanes)
      add<Vectors::lanes>(index, inputs + h, from + h, sums + (h ^ high));
  }

  /// A vector has one cell or several.
  template <class Vectors>
  [[gnu::always_inline]] void run_narrow(Vectors const& v, std::size_t begin, std::size_t cells, Real* sums,
                                         std::uint16_t* latest) const {
    constexpr int lanes = Vectors::lanes;
    alignas(64) Real inputs[2 * lanes];
    std::uint16_t changes[most_sums / 2];  // of offsets
    typename Vectors::Index index;
    for (std::size_t a = 0; a < v.classes; ++a) {
      pack_inputs<lanes>(a, v.n, inputs);
      for (std::size_t lane = v.n; lane < lanes; ++lane) inputs[lane] = inputs[lane - v.n];
      change_offsets(v, a, begin, cells, latest, changes);
      Value const* from = values + (a * v.groups + begin) * v.n;
      for (std::size_t cell = 0; cell < cells; cell += v.packed) {
        exchanged(v, changes + cell, index);
        add<lanes>(index, inputs, from + cell * v.n, sums + cell * v.n);
      }
    }
    for (std::size_t cell = 0; cell < cells; cell += v.packed) {
      exchanged(v, latest + cell, index);
      finish<lanes>(index, sums + cell * v.n, (begin + cell) * v.n);
    }
  }

  template <class Vectors>
  [[gnu::always_inline]] static void exchanged(Vectors const& v, std::uint16_t const* offsets,
                                               typename Vectors::Index& to) {
    if (v.packed == 1) return v.exchanged(*offsets, to);
    v.exchanged_packed(offsets, v.numbers, to);
  }

  template <class Vectors>
  [[gnu::always_inline]] static void change_offsets(Vectors const& v, std::size_t a, std::size_t begin,
                                                    std::size_t cells, std::uint16_t* latest,
                                                    std::uint16_t* changes) {
    if (v.is_plain) {
      std::uint16_t const* const offsets = v.layout.cells + a * v.groups + begin;
      for (std::size_t cell = 0; cell < cells; ++cell) {
        changes[cell] = static_cast<std::uint16_t>(offsets[cell] ^ latest[cell]);
        latest[cell] = offsets[cell];
      }
      return;
    }
    for (std::size_t cell = 0; cell < cells; ++cell) {
      std::uint16_t offset;
      v.write_offsets(a, begin + cell, &offset);
      changes[cell] = static_cast<std::uint16_t>(offset ^ latest[cell]);
      latest[cell] = offset;
    }
  }

  /// `sums = permuted sums + inputs * values`.
  template <int Count, class Index>
  [[gnu::always_inline]] static void add(Index const& index, Real const* inputs, Value const* from,
                                         Real* sums) {
    Lanes<Real, Count> input, factor, sum;
    load<Real, Count>(inputs, input);
    load<Real, Count>(from, factor);
    load<Real, Count>(sums, sum);
    permute<Real, Count>(sum, index, sum);
    fuse_into<Real, Count>(input, factor, sum);
    store<Real, Count>(sum, sums);
  }

  template <int Count, class Index>
  [[gnu::always_inline]] void finish(Index const& index, Real const* sums, std::size_t output) const {
    if (output >= out.features) return;
    Lanes<Real, Count> sum;
    load<Real, Count>(sums, sum);
    permute<Real, Count>(sum, index, sum);
    finish_outputs<Real, Count>(epilogue, output, smaller(Count, out.features - output), sum, out, 0);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
