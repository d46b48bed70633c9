#pragma once

#include <cstddef>
#include <vector>

namespace weir::inline v1 {

/// The line slope * x + intercept.
struct LineFit {
  double slope = 0;
  double intercept = 0;

  double operator()(double x) const { return slope * x + intercept; }
};

struct LinePoint {
  double x = 0;
  double y = 0;
};

/// The least-squares line through points with at least two different x; through others a level one.
inline LineFit fit_line(std::vector<LinePoint> const& points) {
  if (points.empty()) return {};
  double const count = static_cast<double>(points.size());
  LinePoint mean;
  for (auto const& [x, y] : points) {
    mean.x += x;
    mean.y += y;
  }
  mean = {mean.x / count, mean.y / count};
  // About the means: the sums of raw products would cancel.
  double products = 0;
  double squares = 0;
  for (auto const& [x, y] : points) {
    products += (x - mean.x) * (y - mean.y);
    squares += (x - mean.x) * (x - mean.x);
  }
  double const slope = squares > 0 ? products / squares : 0.0;
  return {slope, mean.y - slope * mean.x};
}

}  // namespace weir::inline v1
