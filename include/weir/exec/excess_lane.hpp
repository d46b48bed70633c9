#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/tail_lane.hpp"

namespace weir::inline v1 {
namespace detail {

/// What one lane of a leaf knows of the excesses x - base of its finite elements x > base, times `scale`, a
/// power of two. As `TailLane`, without logarithms; other elements keep their place and contribute nothing.
template <class Real>
struct ExcessLane {
  double pivot = 0.0;
  double sum = 0.0;      // of excess - pivot
  double squares = 0.0;  // of (excess - pivot)^2
  double smallest = infinity;
  double largest = 0.0;
  std::uint32_t participants = 0;

  WEIR_HOST_DEVICE void add(Real value, double base, double scale) {
    auto const key = MagnitudeKey<Real>::of(value);
    double const x = static_cast<double>(MagnitudeKey<Real>::value(key));
    bool const takes_part = key < MagnitudeKey<Real>::infinity && x > base;
    double const excess = takes_part ? (x - base) * scale : pivot;
    pivot = participants == 0 ? excess : pivot;
    participants += takes_part ? 1 : 0;
    double const deviation = excess - pivot;
    sum += deviation;
    squares += rounded_product(deviation, deviation);
    smallest = takes_part && excess < smallest ? excess : smallest;
    largest = takes_part && excess > largest ? excess : largest;
  }

  WEIR_HOST_DEVICE TailNode node() const {
    if (participants == 0) return {0, 0, 0.0, 0.0, 0.0, 0.0, 0.0};
    double const count = participants;
    double const deviations = squares - rounded_product(sum, sum) / count;
    return {0,
            participants,
            smallest,
            largest,
            rounded_product(count, pivot) + sum,
            deviations > 0.0 ? deviations : 0.0,
            0.0};
  }
};

}  // namespace detail
}  // namespace weir::inline v1
