#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/product_dispatch.hpp"
#include "weir/host/kernels/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// The gradient of the values for every layout, added to what is there: lanes are samples, 64 at a time,
/// whose sums are added pairwise.
template <class In, class Number>
struct GradientGathered {
  using Real = Number;

  static constexpr bool permutes = false;
  static constexpr std::size_t together = 64;  // samples
  static constexpr std::size_t width = (std::size_t{32} << 10) / sizeof(Real) / together;
  static constexpr std::size_t block = (std::size_t{64} << 10) / sizeof(Real) / together;

  static ProductParts parts_of(EntrySource const& entries, std::size_t samples, std::size_t threads) {
    bool const is_small = entries.value_count * samples < shared_from_products;
    return {entries.outputs, block, 1, 1, is_small ? 1 : threads};
  }

  EntrySource entries;
  SampleSource<In> dy;
  SampleSource<In> x;
  std::uint32_t tap;  // of x
  Real* gradient;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    constexpr int vectors = static_cast<int>(together) / lanes;
    alignas(64) Real inputs[width * together];
    alignas(64) Real outputs[block * together];
    EntryList list;
    std::size_t const begin = part * parts.block;
    std::size_t const end = smaller(entries.outputs, begin + parts.block);
    for (std::size_t sample = 0; sample < x.samples; sample += together) {
      turn_around(dy, 0, sample, begin, end, outputs);
      for (std::size_t first = 0; first < entries.inputs; first += width) {
        std::size_t const last = smaller(entries.inputs, first + width);
        turn_around(x, tap, sample, first, last, inputs);
        for (std::size_t output = begin; output < end; ++output) {
          Real const* const factors = outputs + (output - begin) * together;
          entries.list(output, first, last, list);
          for (std::size_t i = 0; i < list.size; ++i) {
            Real const* const numbers = inputs + (list.input[i] - first) * together;
            gradient[list.value[i]] += dot<lanes, vectors>(factors, numbers);
          }
        }
      }
    }
  }

 private:
  static void turn_around(SampleSource<In> const& source, std::uint32_t tap, std::size_t sample,
                          std::size_t begin, std::size_t end, Real* to) {
    for (std::size_t row = 0; row < together; ++row) {
      bool const is_there = sample + row < source.samples;
      if (is_there && !source.is_batch_major()) {
        for (std::size_t feature = begin; feature < end; ++feature) {
          to[(feature - begin) * together + row] = convert<Real>(source.batch(sample + row, feature));
        }
        continue;
      }
      In const* const from = is_there ? source.row(sample + row, tap) : nullptr;
      for (std::size_t feature = begin; feature < end; ++feature) {
        to[(feature - begin) * together + row] = from == nullptr ? Real{0} : convert<Real>(from[feature]);
      }
    }
  }

  template <int Count, int Vectors>
  [[gnu::always_inline]] static Real dot(Real const* left, Real const* right) {
    Lanes<Real, Count> sum = {};
    repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
      Lanes<Real, Count> one, other;
      load<Real, Count>(left + i * Count, one);
      load<Real, Count>(right + i * Count, other);
      fuse_into<Real, Count>(one, other, sum);
    });
    alignas(64) Real lane[Count];
    store<Real, Count>(sum, lane);
    for (int half = Count / 2; half != 0; half /= 2) {
      for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
    }
    return lane[0];
  }
};

}  // namespace detail
}  // namespace weir::inline v1
