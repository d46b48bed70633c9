#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/exec/leaf_tree.hpp"
#include "weir/exec/measurement.hpp"
#include "weir/host/load_store.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {
namespace detail {

/// The part of a vector that one thread takes: a subtree of the order that exec/leaf_tree.hpp describes.
struct MeasuredSegments {
  static constexpr std::size_t most = 128;
  static constexpr std::size_t fewest_leaves = 16;

  std::size_t length;  // in elements
  std::size_t count;

  explicit MeasuredSegments(std::size_t size)
      : length(subtree_leaves(leaves_of(size), fewest_leaves, most) * leaf_elements),
        count((size + length - 1) / length) {}
};

/// As many of a leaf's lanes as the registers hold together, for vectors of that size.
constexpr int lanes_in_registers(int vector_bytes) {
  return vector_bytes == 64 ? 64 : 16;
}

/// Sums and counts a leaf in its 64 lanes of double.
template <int VectorBytes,
          class Groups = std::make_integer_sequence<int, lanes_in_registers(VectorBytes) * 8 / VectorBytes>>
class LaneSums;

template <int VectorBytes, int... Group>
class LaneSums<VectorBytes, std::integer_sequence<int, Group...>> {
 public:
  /// Adds `rows` times 64 elements.
  template <class Element>
  [[gnu::always_inline]] void add(Element const* from, std::size_t rows) {
    elements_ += rows * leaf_lanes;
    for (int first = 0; first < vectors; first += at_once) {
      Doubles sums[at_once] = {sums_[first + Group]...};
      Counts finite[at_once] = {finite_[first + Group]...};
      for (std::size_t row = 0; row < rows; ++row) {
        Element const* const here = from + row * leaf_lanes + static_cast<std::size_t>(first * width);
        prefetch<at_once * width * sizeof(Element), false>(here);
        (add_to(sums[Group], finite[Group], here + Group * width), ...);
      }
      ((sums_[first + Group] = sums[Group], finite_[first + Group] = finite[Group]), ...);
    }
  }

  [[gnu::always_inline]] SquareSum fold() {
    for (int half = vectors / 2; half != 0; half /= 2) {
      for (int i = 0; i < half; ++i) {
        sums_[i] += sums_[i + half];
        finite_[i] += finite_[i + half];
      }
    }
    double sum[width];
    std::int64_t finite[width];
    __builtin_memcpy(sum, sums_, sizeof(sum));
    __builtin_memcpy(finite, finite_, sizeof(finite));
    for (int half = width / 2; half != 0; half /= 2) {
      for (int i = 0; i < half; ++i) {
        sum[i] += sum[i + half];
        finite[i] += finite[i + half];
      }
    }
    return {sum[0], elements_ + static_cast<std::uint64_t>(finite[0])};
  }

 private:
  static constexpr int width = VectorBytes / 8;
  static constexpr int vectors = static_cast<int>(leaf_lanes) / width;
  static constexpr int at_once = sizeof...(Group);
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

  Doubles sums_[vectors] = {};
  Counts finite_[vectors] = {};
  std::uint64_t elements_ = 0;
};

struct NoWork {
  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t, std::size_t) const {}
};

/// The sum of squares of a leaf.
struct SquareLeaf {
  using Node = SquareSum;
  static constexpr std::size_t rows_at_once = 8;

  template <int VectorBytes, class Element>
  [[gnu::always_inline]] static SquareSum sum(Element const* leaf, std::size_t size) {
    LaneSums<VectorBytes> sums;
    std::size_t i = 0;
    for (; size - i >= rows_at_once * leaf_lanes; i += rows_at_once * leaf_lanes)
      sums.add(leaf + i, rows_at_once);
    std::size_t const rows = (size - i) / leaf_lanes;
    sums.add(leaf + i, rows);
    i += rows * leaf_lanes;
    if (i != size) {
      Element padded[leaf_lanes] = {};
      __builtin_memcpy(static_cast<void*>(padded), leaf + i, (size - i) * sizeof(Element));
      sums.add(padded, 1);
    }
    return sums.fold();
  }
};

/// Sums up `values`, leaf by leaf, each after `before` has run on it.
template <class Leaf, class Element, class Before>
struct LeafSegment {
  Element const* values;
  Before before;
  typename Leaf::Node* out;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    PairwiseFold<typename Leaf::Node> fold;
    fold.clear();
    for (std::size_t leaf = begin; leaf < end; leaf += leaf_elements) {
      std::size_t const leaf_end = smaller(end, leaf + leaf_elements);
      before.template run<VectorBytes>(leaf, leaf_end);
      fold.add(Leaf::template sum<VectorBytes>(values + leaf, leaf_end - leaf));
    }
    *out = fold.total({});
  }
};

/// The root of the tree over `values`, which `before` may write, at `bytes` moved per element.
template <class Leaf, class Element, class Before>
typename Leaf::Node sum_leaves_after(Before const& before, ThreadTeam& team, Element const* values,
                                     std::size_t size, std::size_t bytes) {
  using Node = typename Leaf::Node;
  MeasuredSegments const segments(size);
  Node parts[MeasuredSegments::most];
  auto const sum_segment = [&](std::size_t index) {
    LeafSegment<Leaf, Element, Before> const kernel{values, before, &parts[index]};
    run_widest(kernel, index * segments.length, smaller(size, (index + 1) * segments.length));
  };
  if (size < shared_from_bytes / bytes) {
    for (std::size_t index = 0; index < segments.count; ++index) sum_segment(index);
  } else {
    team.run(segments.count, sum_segment);
  }

  PairwiseFold<Node> fold;
  fold.clear();
  for (std::size_t index = 0; index < segments.count; ++index) fold.add(parts[index]);
  return fold.total({});
}

}  // namespace detail
}  // namespace weir::inline v1
