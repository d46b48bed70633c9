#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/special.hpp"
#include "weir/plan/line_fit.hpp"
#include "weir/plan/profile.hpp"

namespace weir::inline v1 {

/// `value` with so many decimals, or as it is where nothing is rounded.
inline double rounded(double value, int decimals, ProfileRounding rounding) {
  if (rounding == ProfileRounding::none) return value;
  double unit = 1;
  for (int i = 0; i < decimals; ++i) unit *= 10;
  return __builtin_floor(value * unit + 0.5) / unit;
}

/// How the throughput of forward and backward passes grows with the workers of a device. Where three or more
/// workers were measured it is t1 (alpha ln k + beta), fitted to all measured k, else as measured.
/// Source: [iidp]
class ThroughputFit {
 public:
  /// `batch` holds points with forward and backward times above 0, among them one with 1 worker.
  ThroughputFit(LocalBatchProfile const& batch, ProfileRounding rounding)
      : size_(batch.size), rounding_(rounding) {
    std::size_t most = 0;
    for (ProfilePoint const& point : batch.points) {
      if (point.workers == 1) one_ = rounded(samples_per_second(point), 2, rounding);
      if (point.workers > most) most = point.workers;
    }
    std::vector<LinePoint> logarithmic;
    for (ProfilePoint const& point : batch.points) {
      double const relative = rounded(samples_per_second(point) / one_, 3, rounding);
      measured_.push_back({static_cast<double>(point.workers), relative});
      logarithmic.push_back({ln(static_cast<double>(point.workers)), relative});
    }
    is_fitted_ = most >= 3;
    if (is_fitted_) line_ = fit_line(logarithmic);
  }

  /// t1, of one worker. Units: samples per second.
  double one() const { return one_; }
  bool is_fitted() const { return is_fitted_; }
  double alpha() const { return line_.slope; }
  double beta() const { return line_.intercept; }

  /// y(k): throughput with `workers` over that with one.
  /// Errors: `ContractViolation` for workers that were not measured, where there is no fit.
  double relative(std::size_t workers) const {
    double const k = static_cast<double>(workers);
    if (is_fitted_) return line_(ln(k));
    for (LinePoint const& point : measured_) {
      if (point.x == k) return point.y;
    }
    throw ContractViolation("local batch " + std::to_string(size_) + " was not measured with " +
                            std::to_string(workers) + " workers, and there are too few points for a fit");
  }

  /// Forward and backward pass of one micro-batch on each of `workers`. Units: seconds.
  double seconds(std::size_t workers) const {
    double const samples = static_cast<double>(workers) * static_cast<double>(size_);
    return rounded(samples / (relative(workers) * one_), 4, rounding_);
  }

 private:
  double samples_per_second(ProfilePoint const& point) const {
    return static_cast<double>(point.workers) * static_cast<double>(size_) * 1000 /
           (point.forward_ms + point.backward_ms);
  }

  std::size_t size_;
  ProfileRounding rounding_;
  double one_ = 0;
  bool is_fitted_ = false;
  LineFit line_;
  std::vector<LinePoint> measured_;
};

}  // namespace weir::inline v1
