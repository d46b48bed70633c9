#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/exec/measurement.hpp"
#include "weir/host/load_store.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {
namespace detail {

// The order of the additions depends on the size alone: element i of a block goes to lane i % 16, the lanes
// of a block are added pairwise, the blocks of a segment one after another, and so the segments. A segment is
// what one thread takes.
inline constexpr std::size_t measured_block = 4096;
inline constexpr std::size_t measured_lanes = 16;

struct MeasuredSegments {
  static constexpr std::size_t most = 128;
  static constexpr std::size_t fewest_blocks = 16;

  std::size_t length;  // in elements
  std::size_t count;

  explicit MeasuredSegments(std::size_t size) {
    std::size_t const blocks = (size + measured_block - 1) / measured_block;
    length = larger(fewest_blocks, (blocks + most - 1) / most) * measured_block;
    count = (size + length - 1) / length;
  }
};

/// Sums and counts in `VectorBytes` at a time, in 16 lanes of double.
template <int VectorBytes, class Groups = std::make_integer_sequence<int, 128 / VectorBytes>>
class LaneSums;

template <int VectorBytes, int... Group>
class LaneSums<VectorBytes, std::integer_sequence<int, Group...>> {
 public:
  template <class Element>
  [[gnu::always_inline]] void add(Element const* sixteen) {
    elements_ += measured_lanes;
    (add_to(sums_[Group], finite_[Group], sixteen + Group * width), ...);
  }

  [[gnu::always_inline]] void finish(Measurement& total) const {
    double lane[measured_lanes];
    std::int64_t finite[measured_lanes];
    (__builtin_memcpy(lane + Group * width, &sums_[Group], VectorBytes), ...);
    (__builtin_memcpy(finite + Group * width, &finite_[Group], VectorBytes), ...);
    for (std::size_t half = measured_lanes / 2; half != 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) {
        lane[i] += lane[i + half];
        finite[i] += finite[i + half];
      }
    }
    total.sum_of_squares += lane[0];
    total.non_finite += elements_ + static_cast<std::uint64_t>(finite[0]);
  }

 private:
  static constexpr int width = VectorBytes / 8;
  using Doubles = Lanes<double, width>;
  using Counts = Lanes<std::int64_t, width>;

  template <class Element>
  [[gnu::always_inline]] static void add_to(Doubles& sum, Counts& finite, Element const* from) {
    Doubles value, square;
    load<double, width>(from, value);
    Doubles same = value;
    keep_rounded(same);  // or -ffinite-math-only would know the difference
    Counts const is_finite = value - same == 0.0;
    multiply(value, value, square);
    sum += reinterpret_cast<Doubles>(reinterpret_cast<Counts>(square) & is_finite);
    finite += is_finite;  // -1 each
  }

  Doubles sums_[sizeof...(Group)] = {};
  Counts finite_[sizeof...(Group)] = {};
  std::uint64_t elements_ = 0;
};

struct NoWork {
  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t, std::size_t) const {}
};

/// Measures `values`, block by block, each after `before` has run on it.
template <class Element, class Before>
struct MeasureSegment {
  Element const* values;
  Before before;
  Measurement* out;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    Measurement total;
    for (std::size_t block = begin; block < end; block += measured_block) {
      std::size_t const block_end = smaller(end, block + measured_block);
      before.template run<VectorBytes>(block, block_end);
      LaneSums<VectorBytes> sums;
      std::size_t i = block;
      for (; block_end - i >= measured_lanes; i += measured_lanes) {
        prefetch<measured_lanes * sizeof(Element), false>(values + i);
        sums.add(values + i);
      }
      if (i != block_end) {
        Element padded[measured_lanes] = {};
        __builtin_memcpy(static_cast<void*>(padded), values + i, (block_end - i) * sizeof(Element));
        sums.add(padded);
      }
      sums.finish(total);
    }
    *out = total;
  }
};

/// `*out` becomes the measurement of `values`, which `before` may write, at `bytes` moved per element.
template <class Element, class Before>
void measure_after(Before const& before, ThreadTeam& team, Element const* values, std::size_t size,
                   std::size_t bytes, Measurement* out) {
  MeasuredSegments const segments(size);
  Measurement parts[MeasuredSegments::most];
  auto const measure_segment = [&](std::size_t index) {
    MeasureSegment<Element, Before> const kernel{values, before, &parts[index]};
    run_widest(kernel, index * segments.length, smaller(size, (index + 1) * segments.length));
  };
  if (size < shared_from_bytes / bytes) {
    for (std::size_t index = 0; index < segments.count; ++index) measure_segment(index);
  } else {
    team.run(segments.count, measure_segment);
  }

  Measurement total;
  for (std::size_t index = 0; index < segments.count; ++index) {
    total.sum_of_squares += parts[index].sum_of_squares;
    total.non_finite += parts[index].non_finite;
  }
  *out = total;
}

}  // namespace detail
}  // namespace weir::inline v1
