#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>

#include "weir/core/rounded_product.hpp"
#include "weir/core/square_root.hpp"

namespace weir::inline v1 {

/// The cosine between two halves of a step's gradient: that of the micro-batches with an even global index u
/// and that of the others. Near 1 they say the same and the batch could be smaller; near 0 they are noise.
/// Source: [qin2021]; there the halves are devices, here they are micro-batches, so that any number of
/// devices will do.
class GradientSimilarity {
 public:
  /// Adds a bucket: the sums over all ranks of its even and of its odd micro-batches, in double and in order.
  template <std::floating_point Real>
  void add(std::span<Real const> even, std::span<Real const> odd) {
    for (std::size_t i = 0; i < even.size() && i < odd.size(); ++i) {
      double const left = even[i];
      double const right = odd[i];
      even_even_ += rounded_product(left, left);
      odd_odd_ += rounded_product(right, right);
      even_odd_ += rounded_product(left, right);
    }
  }

  /// Adds the products of a bucket.
  void add(double even_even, double odd_odd, double even_odd) {
    even_even_ += even_even;
    odd_odd_ += odd_odd;
    even_odd_ += even_odd;
  }

  /// Nothing if one half is zero, as with fewer than two micro-batches.
  std::optional<double> cosine() const {
    double const squares = even_even_ * odd_odd_;
    if (!(squares > 0) || !__builtin_isfinite(squares)) return {};
    return even_odd_ / square_root(squares);
  }

 private:
  double even_even_ = 0;
  double odd_odd_ = 0;
  double even_odd_ = 0;
};

}  // namespace weir::inline v1
