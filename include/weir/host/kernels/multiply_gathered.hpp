#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/masked_product.hpp"
#include "weir/host/kernels/finish_outputs.hpp"
#include "weir/host/kernels/packed_rows.hpp"
#include "weir/host/kernels/permute_lanes.hpp"
#include "weir/host/kernels/product_dispatch.hpp"
#include "weir/host/kernels/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// y = x W^T, or dx = dy W from transposed entries, for every layout and order: lanes are samples, and each
/// entry of an output's row is multiplied with the samples of its input. An output is one chain of fused
/// multiply-adds, in the order of its inputs or, where the visit does not ascend, piece by piece of 512
/// inputs in the order of the visit.
///
/// Features that lie one after another are read where they are; other batches are turned around piece by
/// piece.
template <class Value, class In, class Out>
struct MultiplyGathered {
  using Real = AccumulatorOf<Value>;

  static constexpr bool permutes = false;
  static constexpr std::size_t scratch_bytes = std::size_t{32} << 10;
  static constexpr std::size_t block = 1024;  // outputs of a part
  static constexpr std::size_t few_samples = 4;
  static constexpr std::size_t piece = scratch_bytes / 64;  // inputs that fit with the widest vectors

  static ProductParts parts_of(EntrySource const& entries, std::size_t samples, std::size_t threads) {
    bool const is_small = entries.value_count * samples < shared_from_products;
    return {entries.outputs, block, 16, samples, is_small ? 1 : threads};
  }

  EntrySource entries;
  Value const* values;
  SampleSource<In> in;
  BatchView<Out, HostSpace> out;
  ProductEpilogue<Real> epilogue;
  ProductParts parts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    std::size_t const begin = part % parts.blocks * parts.block;
    std::size_t const end = smaller(entries.outputs, begin + parts.block);
    std::size_t sample = part / parts.blocks * parts.samples;
    std::size_t const sample_end = smaller(in.samples, sample + parts.samples);
    if (in.is_batch_major()) {
      alignas(64) Real inputs[scratch_bytes / sizeof(Real)];
      alignas(64) Real sums[block * lanes];
      while (sample < sample_end) {
        std::size_t const count = smaller(lanes, sample_end - sample);
        if (count < few_samples) {
          in_place<1, 1>(begin, end, sample);
          sample += 1;
        } else {
          turned_around<lanes>(begin, end, sample, count, inputs, sums);
          sample += count;
        }
      }
      return;
    }
    for (; sample + 4 * lanes <= sample_end; sample += 4 * lanes) {
      in_place<lanes, 4>(begin, end, sample);
    }
    for (; sample + lanes <= sample_end; sample += lanes) {
      in_place<lanes, 1>(begin, end, sample);
    }
    for (; sample < sample_end; ++sample) in_place<1, 1>(begin, end, sample);
  }

 private:
  /// The samples of an input lie side by side, or there is one.
  template <int Count, int Vectors>
  [[gnu::always_inline]] void in_place(std::size_t begin, std::size_t end, std::size_t sample) const {
    EntryList list;
    std::size_t places[Count * Vectors];
    list_places(sample, Count * Vectors, places);
    In const outside{};  // of an image; only one sample at a time can be
    for (std::size_t output = begin; output < end; ++output) {
      Lanes<Real, Count> sum[Vectors] = {};
      for (std::uint32_t number = 0; number < in.taps; ++number) {
        std::uint32_t const tap = in.tap(number);
        In const* inputs = in.is_batch_major() ? in.row(sample, tap) : in.batch.data + sample;
        std::size_t const stride = inputs == nullptr ? 0 : in.is_batch_major() ? 1 : in.batch.stride;
        if (inputs == nullptr) inputs = &outside;
        for (std::size_t first = 0; first < entries.inputs; first += EntryList::capacity) {
          std::size_t const last = smaller(entries.inputs, first + EntryList::capacity);
          entries.list(output, first, last, list);
          for_each_listed(
              list, first, last, [&](std::size_t i) __attribute__((always_inline)) {
                add_entry<Count, Vectors>(tap * entries.value_count + list.value[i],
                                          inputs + list.input[i] * stride, sum);
              });
        }
      }
      repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
        finish_samples<Count>(output, places + i * Count, Count, sum[i]);
      });
    }
  }

  /// Calls `f(i)` for what is listed of first .. last. How many inputs are listed at once differs from path
  /// to path: where they do not ascend, those of a piece come before the next ones'.
  template <class Function>
  [[gnu::always_inline]] void for_each_listed(EntryList const& list, std::size_t first, std::size_t last,
                                              Function const& f) const {
    if (entries.ascends || last - first <= piece) {
      for (std::size_t i = 0; i < list.size; ++i) f(i);
      return;
    }
    for (std::size_t begin = first; begin < last; begin += piece) {
      for (std::size_t i = 0; i < list.size; ++i) {
        if (list.input[i] - begin < piece) f(i);
      }
    }
  }

  template <int Count, int Vectors, class Element>
  [[gnu::always_inline]] void add_entry(std::size_t value, Element const* samples,
                                        Lanes<Real, Count>* sum) const {
    Lanes<Real, Count> factor;
    if constexpr (std::is_same_v<Value, Real>) {
      broadcast<Real, Count>(values[value], factor);  // from where it lies
    } else {
      broadcast<Real, Count>(convert<Real>(values[value]), factor);
    }
    repeat<Vectors>([&](auto i) __attribute__((always_inline)) {
      Lanes<Real, Count> numbers;
      load<Real, Count>(samples + i * Count, numbers);
      fuse_into<Real, Count>(numbers, factor, sum[i]);
    });
  }

  template <int Count>
  [[gnu::always_inline]] void turned_around(std::size_t begin, std::size_t end, std::size_t sample,
                                            std::size_t samples, Real* inputs, Real* sums) const {
    constexpr std::size_t width = scratch_bytes / sizeof(Real) / Count;
    EntryList list;
    for (std::size_t i = 0; i < (end - begin) * Count; ++i) sums[i] = Real{0};
    for (std::uint32_t number = 0; number < in.taps; ++number) {
      std::uint32_t const tap = in.tap(number);
      for (std::size_t first = 0; first < entries.inputs; first += width) {
        std::size_t const last = smaller(entries.inputs, first + width);
        for (std::size_t row = 0; row < Count; ++row) {
          In const* const from = row < samples ? in.row(sample + row, tap) : nullptr;
          for (std::size_t feature = first; feature < last; ++feature) {
            inputs[(feature - first) * Count + row] =
                from == nullptr ? Real{0} : convert<Real>(from[feature]);
          }
        }
        for (std::size_t output = begin; output < end; ++output) {
          Lanes<Real, Count> sum;
          load<Real, Count>(sums + (output - begin) * Count, sum);
          entries.list(output, first, last, list);
          for_each_listed(
              list, first, last, [&](std::size_t i) __attribute__((always_inline)) {
                add_entry<Count, 1>(tap * entries.value_count + list.value[i],
                                    inputs + (list.input[i] - first) * Count, &sum);
              });
          store<Real, Count>(sum, sums + (output - begin) * Count);
        }
      }
    }
    std::size_t places[Count];
    list_places(sample, samples, places);
    for (std::size_t output = begin; output < end; ++output) {
      Lanes<Real, Count> sum;
      load<Real, Count>(sums + (output - begin) * Count, sum);
      finish_samples<Count>(output, places, samples, sum);
    }
  }

  void list_places(std::size_t sample, std::size_t samples, std::size_t* places) const {
    for (std::size_t i = 0; i < samples; ++i) places[i] = in.place(sample + i);
  }

  template <int Count>
  [[gnu::always_inline]] void finish_samples(std::size_t output, std::size_t const* places,
                                             std::size_t samples, Lanes<Real, Count>& sum) const {
    if (epilogue.bias != nullptr) sum += epilogue.bias[output];
    activate_lanes<Real, Count>(epilogue.activation, sum);
    if (!out.is_batch_major()) {
      return store_first<Real, Count>(sum, samples, out.data + output * out.stride + places[0]);
    }
    if constexpr (Count == 1) {
      out.data[places[0] * out.stride + output] = convert<Out>(sum);
    } else {
      for (std::size_t row = 0; row < samples; ++row) {
        out.data[places[row] * out.stride + output] = convert<Out>(static_cast<Real>(sum[row]));
      }
    }
  }
};

}  // namespace detail
}  // namespace weir::inline v1
