#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/leaf_tree.hpp"
#include "weir/exec/tail_lane.hpp"
#include "weir/host/kernels/leaf_keys.hpp"
#include "weir/host/kernels/measure.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// The tail of a leaf, the same bits as lanes of `TailLane` give, or of `ExcessLane` over a base. Counts,
/// smallest and largest are always found out. An excess is multiplied by `scale`, a power of two.
template <int VectorBytes, bool Moments, bool Logarithms, bool IsExcess>
class TailLanes {
 public:
  /// `base` is finite and not negative, 0 where it is no excess.
  template <class Real>
  [[gnu::always_inline]] static TailNode node(Real const* leaf, std::size_t size, double base = 0.0,
                                              double scale = 1.0) {
    using Key = MagnitudeKey<Real>;
    auto const keys = LeafKeys<Real>::template of<VectorBytes>(leaf, size, limit_below<Real>(base));
    TailNode node{};
    if (keys.participants != 0) {
      if constexpr (Moments) {
        node = keys.participants == size ? lanes<true>(leaf, size, base, scale)
                                         : lanes<false>(leaf, size, base, scale);
      }
      node.participants = keys.participants;
      node.smallest = (static_cast<double>(Key::value(keys.smallest)) - base) * scale;
      node.largest = (static_cast<double>(Key::value(keys.largest)) - base) * scale;
    }
    node.non_finite = IsExcess ? 0 : keys.non_finite;
    return node;
  }

 private:
  static_assert(Moments || !Logarithms);
  static constexpr int width = VectorBytes / 8;
  static constexpr int at_once = VectorBytes == 64 ? 4 : 2;
  static constexpr std::int64_t infinity_bits = __builtin_bit_cast(std::int64_t, detail::infinity);
  using Doubles = Lanes<double, width>;
  using Integers = Lanes<std::int64_t, width>;

  /// The largest key of a number that is not above the base.
  template <class Real>
  static typename MagnitudeKey<Real>::Bits limit_below(double base) {
    Real const nearest = static_cast<Real>(base);
    auto const key = MagnitudeKey<Real>::of(nearest);
    return static_cast<double>(nearest) > base ? key - 1 : key;
  }

  /// `IsFull`: all elements take part.
  template <bool IsFull, class Real>
  [[gnu::always_inline]] static TailNode lanes(Real const* leaf, std::size_t size, double base,
                                               double scale) {
    Columns columns;
    std::size_t const rows = size / leaf_lanes;
    std::size_t const rest = size % leaf_lanes;
    Real padded[leaf_lanes] = {};
    __builtin_memcpy(padded, leaf + rows * leaf_lanes, rest * sizeof(Real));
    Doubles lower = {};
    lower += base;
    for (int first = 0; first < static_cast<int>(leaf_lanes); first += at_once * width) {
      Group groups[at_once];
      for (Group& group : groups) group.clear();
      Real const* from = leaf + first;
      char const* ahead = reinterpret_cast<char const*>(leaf + leaf_elements) +
                          static_cast<std::size_t>(first) * leaf_rows * sizeof(Real);
      for (std::size_t row = 0; row < rows; ++row, from += leaf_lanes) {
        for (std::size_t line = 0; line < at_once * width * sizeof(Real); line += 64, ahead += 64)
          __builtin_prefetch(ahead);
        for (int i = 0; i < at_once; ++i) {
          if (IsFull && row == 0) groups[i].start(from + i * width, lower, scale);
          groups[i].template add<IsFull>(from + i * width, lower, scale);
        }
      }
      for (int i = 0; i < at_once; ++i) {
        if (IsFull) groups[i].count += static_cast<std::int64_t>(rows);
        if (rest != 0) groups[i].template add<false>(padded + first + i * width, lower, scale);
        groups[i].finish(columns, first + i * width);
      }
    }
    return fold(columns);
  }

  /// One number for each lane of a leaf.
  struct Columns {
    double count[leaf_lanes];
    double sum[leaf_lanes];
    double squares[leaf_lanes];
    double logarithms[leaf_lanes];
  };

  /// `to = condition ? one : other`, lane by lane.
  template <class Condition, class Value>
  [[gnu::always_inline]] static void choose(Condition const& condition, Value const& one, Value const& other,
                                            Value& to) {
    Integers const mask = reinterpret_cast<Integers>(condition);
    to = reinterpret_cast<Value>((reinterpret_cast<Integers>(one) & mask) |
                                 (reinterpret_cast<Integers>(other) & ~mask));
  }

  struct Group {
    Doubles pivot, sum, squares, mantissa;
    Integers exponent, count;

    [[gnu::always_inline]] void clear() {
      pivot = sum = squares = Doubles{};
      exponent = count = Integers{};
      mantissa = Doubles{} + 1.0;
    }

    template <class Real>
    [[gnu::always_inline]] void start(Real const* from, Doubles const& base, double scale) {
      Integers bits;
      magnitude(from, bits);
      pivot = reinterpret_cast<Doubles>(bits);
      if constexpr (IsExcess) pivot = (pivot - base) * scale;
    }

    template <bool IsFull, class Real>
    [[gnu::always_inline]] void add(Real const* from, Doubles const& base, double scale) {
      Integers bits, takes_part;
      magnitude(from, bits);
      if constexpr (!IsFull) {
        // One comparison: of two, g++ 12 makes one for each lane.
        using Unsigned = Lanes<std::uint64_t, width>;
        Unsigned const lower = reinterpret_cast<Unsigned>(base) + 1u;
        Unsigned const upper = static_cast<std::uint64_t>(infinity_bits) - lower;
        takes_part = reinterpret_cast<Integers>(reinterpret_cast<Unsigned>(bits) - lower < upper);
      } else {
        takes_part = Integers{} - 1;
      }
      Doubles x = reinterpret_cast<Doubles>(bits);
      if constexpr (IsExcess) x = (x - base) * scale;
      if constexpr (!IsFull) {
        Doubles taken, first;
        choose(takes_part, x, pivot, taken);
        choose(count == 0, taken, pivot, first);
        x = taken;
        pivot = first;
        count -= takes_part;
      }
      Doubles const deviation = x - pivot;
      sum += deviation;
      Doubles square;
      multiply(deviation, deviation, square);
      squares += square;
      if constexpr (Logarithms) multiply_in(bits, takes_part, sizeof(Real) == 8);
    }

    /// Writes the columns from `lane` on.
    [[gnu::always_inline]] void finish(Columns& columns, int lane) {
      Doubles const counted = __builtin_convertvector(count, Doubles);
      Doubles square, positive, total;
      multiply(sum, sum, square);
      Doubles const deviations = squares - square / counted;
      choose(deviations > 0.0, deviations, Doubles{}, positive);
      multiply_add(counted, pivot, sum, total);
      __builtin_memcpy(columns.count + lane, &counted, sizeof(counted));
      __builtin_memcpy(columns.sum + lane, &total, sizeof(total));
      __builtin_memcpy(columns.squares + lane, &positive, sizeof(positive));
      for (int i = 0; i < width && Logarithms; ++i) {
        columns.logarithms[lane + i] =
            rounded_product(static_cast<double>(exponent[i]), ln_2) + ln(mantissa[i]);
      }
    }

   private:
    template <class Real>
    [[gnu::always_inline]] static void magnitude(Real const* from, Integers& bits) {
      Doubles value;
      load<double, width>(from, value);
      bits = reinterpret_cast<Integers>(value) & 0x7fff'ffff'ffff'ffff;
    }

    /// As `TailLane::multiply`.
    [[gnu::always_inline]] void multiply_in(Integers const& of, Integers const& takes_part,
                                            bool may_be_tiny) {
      constexpr std::int64_t mantissa_bits = (std::int64_t{1} << 52) - 1;
      constexpr std::int64_t one = std::int64_t{1023} << 52;
      Integers bits = of;
      if (may_be_tiny) {
        Integers const is_subnormal = bits < __builtin_bit_cast(std::int64_t, smallest_normal_double);
        exponent += is_subnormal & takes_part & -54;
        Integers scaled;
        choose(is_subnormal, reinterpret_cast<Integers>(reinterpret_cast<Doubles>(bits) * 0x1p54), bits,
               scaled);
        bits = scaled;
      }
      exponent += ((bits >> 52) - 1023) & takes_part;
      Doubles const factor = reinterpret_cast<Doubles>((bits & mantissa_bits & takes_part) | one);
      Doubles product;
      multiply(mantissa, factor, product);
      Integers const is_large = reinterpret_cast<Integers>(product) >= std::int64_t{1024} << 52;
      exponent -= is_large;
      Doubles const halved = 0.5 * product;
      choose(is_large, halved, product, mantissa);
    }
  };

  [[gnu::always_inline]] static TailNode fold(Columns& c) {
    std::size_t half = leaf_lanes / 2;
    for (; half >= static_cast<std::size_t>(width); half /= 2) {
      for (std::size_t i = 0; i < half; i += static_cast<std::size_t>(width)) merge(c, i, i + half);
    }
    TailNode nodes[width] = {};
    for (int i = 0; i < width; ++i) {
      if (c.count[i] == 0.0) continue;
      nodes[i].participants = static_cast<std::uint64_t>(c.count[i]);
      nodes[i].sum = c.sum[i];
      nodes[i].squared_deviations = c.squares[i];
      if constexpr (Logarithms) nodes[i].sum_of_logarithms = c.logarithms[i];
    }
    for (; half != 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) nodes[i].merge(nodes[i + half]);
    }
    return nodes[0];
  }

  /// `TailNode::merge` of columns.
  [[gnu::always_inline]] static void merge(Columns& c, std::size_t left, std::size_t right) {
    auto const read = [](double const* column, std::size_t lane, Doubles& to) {
      __builtin_memcpy(&to, column + lane, sizeof(to));
    };
    Doubles count, other_count;
    read(c.count, left, count);
    read(c.count, right, other_count);
    auto const write = [&](Doubles const& merged, Doubles const& one, Doubles const& other, double* column) {
      Doubles unless_other, chosen;
      choose(other_count == 0.0, one, merged, unless_other);
      choose(count == 0.0, other, unless_other, chosen);
      __builtin_memcpy(column + left, &chosen, sizeof(chosen));
    };
    Doubles sum, other_sum, squares, other_squares, product, apart_squared, added;
    read(c.sum, left, sum);
    read(c.sum, right, other_sum);
    read(c.squares, left, squares);
    read(c.squares, right, other_squares);
    Doubles const apart = other_sum / other_count - sum / count;
    multiply(count, other_count, product);
    Doubles const weight = product / (count + other_count);
    multiply(apart, apart, apart_squared);
    multiply(apart_squared, weight, added);
    write((squares + other_squares) + added, squares, other_squares, c.squares);
    write(sum + other_sum, sum, other_sum, c.sum);
    if constexpr (Logarithms) {
      Doubles logarithms, other_logarithms;
      read(c.logarithms, left, logarithms);
      read(c.logarithms, right, other_logarithms);
      write(logarithms + other_logarithms, logarithms, other_logarithms, c.logarithms);
    }
    Doubles const all = count + other_count;
    __builtin_memcpy(c.count + left, &all, sizeof(all));
  }
};

/// Makes the nodes of a segment's leaves, each after `before` has run on it, and folds them.
template <bool Moments, bool Logarithms, bool IsExcess, class Real, class Before>
struct TailSegment {
  Real const* values;
  double base;
  double scale;
  Before before;
  TailNode* out;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    PairwiseFold<TailNode> fold;
    fold.clear();
    for (std::size_t leaf = begin; leaf < end; leaf += leaf_elements) {
      std::size_t const leaf_end = smaller(end, leaf + leaf_elements);
      before.template run<VectorBytes>(leaf, leaf_end);
      fold.add(TailLanes<VectorBytes, Moments, Logarithms, IsExcess>::node(values + leaf, leaf_end - leaf,
                                                                           base, scale));
    }
    *out = fold.total({});
  }
};

/// The tail of `values`, which `before` may write. Cost: one pass over memory.
template <bool Moments, bool Logarithms, bool IsExcess, class Real, class Before>
TailStatistics tail_after(Before const& before, ThreadTeam& team, Real const* values, std::size_t size,
                          double base = 0.0, double scale = 1.0) {
  constexpr double most = __builtin_bit_cast(double, __builtin_bit_cast(std::uint64_t, infinity) - 1);
  base = base < most ? base : most;
  MeasuredSegments const segments(size);
  TailNode parts[MeasuredSegments::most];
  auto const run_segment = [&](std::size_t index) {
    TailSegment<Moments, Logarithms, IsExcess, Real, Before> const kernel{values, base, scale, before,
                                                                          &parts[index]};
    run_widest(kernel, index * segments.length, smaller(size, (index + 1) * segments.length));
  };
  if (size < shared_from_bytes / sizeof(Real)) {
    for (std::size_t index = 0; index < segments.count; ++index) run_segment(index);
  } else {
    team.run(segments.count, run_segment);
  }
  PairwiseFold<TailNode> fold;
  fold.clear();
  for (std::size_t index = 0; index < segments.count; ++index) fold.add(parts[index]);
  return fold.total({}).statistics();
}

}  // namespace detail
}  // namespace weir::inline v1
