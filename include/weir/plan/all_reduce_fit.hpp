#pragma once

#include <vector>

#include "weir/plan/line_fit.hpp"
#include "weir/plan/profile.hpp"

namespace weir::inline v1 {

/// What an all-reduce takes over what its bytes would take at full bandwidth. Units: milliseconds, both.
inline LineFit fit_all_reduce(AllReduceProfile const& all_reduce) {
  if (all_reduce.samples_ms.empty()) return {all_reduce.p, all_reduce.q};
  std::vector<LinePoint> points;
  for (AllReduceSample const& sample : all_reduce.samples_ms)
    points.push_back({sample.ideal_ms, sample.measured_ms});
  return fit_line(points);
}

/// What the bytes of an all-reduce would take at full bandwidth. Units: milliseconds. The factor 4 is that of
/// the reference's profiler, which the fit absorbs. Source: [iidp]
inline double ideal_all_reduce_ms(double bytes, double devices, double bytes_per_second) {
  return bytes / devices * 4 * (devices - 1) / bytes_per_second * 1000;
}

}  // namespace weir::inline v1
