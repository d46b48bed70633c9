#pragma once

#include <cstddef>
#include <limits>

#include "weir/compress/cost_table.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// A bucket, the ranks that sum it, their link, and what compression costs there. Units: bytes, seconds.
struct BreakEvenCase {
  std::size_t ranks = 8;
  std::size_t elements = 0;
  std::size_t value_bytes = 4;
  std::size_t index_bytes = 4;
  Link link = {};
  CompressionTime time = {};
};

/// Where a sparse sum stops to pay against a dense ring.
class BreakEven {
 public:
  explicit BreakEven(BreakEvenCase const& question) : case_(question) {}

  /// What the method takes in all at that density, compression included. Units: seconds.
  double seconds(SparseMethod method, double density) const {
    double const sum = seconds_of(method, load(density), case_.link);
    return is_dense(method) ? sum : sum + case_.time.compress + case_.time.decompress;
  }

  /// The largest density at which the method is faster than the dense ring: 0 where it never is, 1 where it
  /// always is.
  double density(SparseMethod method) const {
    double const dense = seconds(SparseMethod::dense_ring, 1.0);
    if (seconds(method, 1.0) < dense) return 1.0;
    double faster = 0.0;
    double slower = 1.0;
    for (int halving = 0; halving < 100; ++halving) {
      double const middle = 0.5 * (faster + slower);
      (seconds(method, middle) < dense ? faster : slower) = middle;
    }
    return faster;
  }

  /// The bandwidth above which compressing to that density loses time: infinite where it costs less than the
  /// messages that it saves, 0 where it saves no bytes. Units: bytes per second.
  double bandwidth(SparseMethod method, double density) const {
    Link const messages{case_.link.alpha, 0.0};
    Link const bytes{0.0, 1.0};
    auto const dense = SparseMethod::dense_ring;
    double const saved_seconds =
        seconds_of(dense, load(density), messages) - seconds_of(method, load(density), messages);
    double const cost = case_.time.compress + case_.time.decompress - saved_seconds;
    double const saved_bytes =
        seconds_of(dense, load(density), bytes) - seconds_of(method, load(density), bytes);
    if (cost <= 0.0) return std::numeric_limits<double>::infinity();
    return saved_bytes > 0.0 ? saved_bytes / cost : 0.0;
  }

 private:
  SparseLoad load(double density) const {
    double const elements = static_cast<double>(case_.elements);
    return {case_.ranks, elements, rounded_product(density, elements), static_cast<double>(case_.value_bytes),
            static_cast<double>(case_.index_bytes)};
  }

  BreakEvenCase case_;
};

/// Up to which density, and up to which bandwidth, compression pays.
/// Errors: `ContractViolation` for no ranks, no elements, or values without bytes.
inline BreakEven break_even(BreakEvenCase const& question) {
  if (question.ranks == 0 || question.elements == 0 || question.value_bytes == 0) {
    throw ContractViolation("break_even: ranks, elements and value_bytes are at least 1");
  }
  return BreakEven(question);
}

}  // namespace weir::inline v1
