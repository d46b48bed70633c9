#pragma once

#include <cmath>
#include <limits>

namespace weir_test {

/// The larger of two errors. What is not a number is infinitely wrong, and stays so whatever comes after it.
inline double worst_error(double so_far, double error) {
  if (std::isnan(so_far) || std::isnan(error)) return std::numeric_limits<double>::infinity();
  return error > so_far ? error : so_far;
}

}  // namespace weir_test
