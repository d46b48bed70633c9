#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/core/square_root.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {

/// Statistics of magnitudes times a power of two, which is 1 unless their squares would overflow or vanish.
struct ScaledTail {
  TailStatistics tail = {};
  double scale = 1.0;

  /// Whether statistics of such magnitudes have to be taken again, scaled.
  WEIR_HOST_DEVICE static bool is_extreme(double largest) {
    return !(0x1p-300 < largest && largest < 0x1p300);
  }

  /// The power of two that brings x near 1.
  WEIR_HOST_DEVICE static double scale_for(double x) {
    int const exponent = static_cast<int>(__builtin_bit_cast(std::uint64_t, x) >> 52) - 1023;
    return detail::power_of_two(exponent < -1000 ? 1000 : -exponent);
  }

  /// Takes the statistics of the same magnitudes, scaled, in which there are no logarithms.
  WEIR_HOST_DEVICE void rescale(TailStatistics const& scaled, double by) {
    double const logarithms =
        tail.sum_of_logarithms + rounded_product(static_cast<double>(tail.participants), ln(by));
    tail = scaled;
    tail.sum_of_logarithms = logarithms;
    scale = by;
  }

  /// Mean and deviation of `size` magnitudes, of which those that are not in the tail are 0.
  WEIR_HOST_DEVICE void describe_all(std::uint64_t size, TrialData& data) const {
    double const all = static_cast<double>(size);
    double const some = static_cast<double>(tail.participants);
    double const mean = tail.mean();
    double const zeros = rounded_product(some, all - some) / all;
    double const deviations = tail.squared_deviations + rounded_product(rounded_product(mean, mean), zeros);
    data.mean = tail.sum / all / scale;
    data.deviation = square_root(deviations / (all - 1.0)) / scale;
  }
};

}  // namespace weir::inline v1
