#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/random.hpp"
#include "weir/core/square_root.hpp"

namespace weir::inline v1 {

/// The two largest singular values, with multiplicity.
struct SingularValues {
  double first = 0;
  double second = 0;
};

namespace detail {

inline double dot(std::vector<double> const& a, std::vector<double> const& b) {
  double sum[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) sum[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < a.size(); ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

inline void add_multiple(std::vector<double>& sum, double factor, std::vector<double> const& vector) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * vector[i];
}

/// A symmetric tridiagonal matrix, growing at its end.
struct Tridiagonal {
  std::vector<double> diagonal = {};
  std::vector<double> beside = {};  ///< one shorter

  /// The largest eigenvalue, by bisection.
  double largest() const {
    double low = diagonal[0];
    double high = diagonal[0];
    for (std::size_t i = 0; i < diagonal.size(); ++i) {
      double const radius =
          (i > 0 ? __builtin_fabs(beside[i - 1]) : 0) + (i < beside.size() ? __builtin_fabs(beside[i]) : 0);
      if (diagonal[i] > low) low = diagonal[i];
      if (diagonal[i] + radius > high) high = diagonal[i] + radius;
    }
    for (int step = 0; step < 100; ++step) {
      double const middle = low + (high - low) / 2;
      if (middle <= low || middle >= high) break;
      (has_above(middle) ? low : high) = middle;
    }
    return high;
  }

  /// Its eigenvector, of length 1, by two steps of inverse iteration.
  std::vector<double> vector_of(double eigenvalue) const {
    std::size_t const size = diagonal.size();
    std::vector<double> x(size, 1.0);
    for (int step = 0; step < 2; ++step) {
      solve_shifted(eigenvalue, x);
      double const length = v1::square_root(dot(x, x));
      for (double& value : x) value /= length;
    }
    return x;
  }

 private:
  /// Whether an eigenvalue is greater: the signs of the pivots of T - shift tell.
  bool has_above(double shift) const {
    double pivot = diagonal[0] - shift;
    if (pivot > 0) return true;
    for (std::size_t i = 1; i < diagonal.size(); ++i) {
      double const divisor = pivot == 0 ? -1e-300 : pivot;
      pivot = diagonal[i] - shift - beside[i - 1] * beside[i - 1] / divisor;
      if (pivot > 0) return true;
    }
    return false;
  }

  /// x := (T - shift)^-1 x, where T - shift is negative or nearly so: elimination needs no exchange.
  void solve_shifted(double shift, std::vector<double>& x) const {
    std::size_t const size = diagonal.size();
    double const least = 1e-14 * (__builtin_fabs(shift) + 1e-300);
    std::vector<double> pivots(size);
    for (std::size_t i = 0; i < size; ++i) {
      pivots[i] = diagonal[i] - shift - (i == 0 ? 0 : beside[i - 1] * beside[i - 1] / pivots[i - 1]);
      if (pivots[i] > -least) pivots[i] = -least;
      if (i != 0) x[i] -= beside[i - 1] / pivots[i - 1] * x[i - 1];
    }
    for (std::size_t i = size; i-- > 0;) {
      if (i + 1 < size) x[i] -= beside[i] * x[i + 1];
      x[i] /= pivots[i];
    }
  }
};

/// A singular value and the vector to it, on the shorter side of the map.
struct SingularPair {
  double value = 0;
  std::vector<double> vector = {};
};

/// The largest singular value of a map, over the vectors at right angles to that of `without` if it has one:
/// Lanczos with every vector kept orthogonal to all before.
template <class Map>
SingularPair largest_singular_pair(Map const& map, SingularPair const& without) {
  bool const is_wide = map.rows() < map.columns();
  std::size_t const size = is_wide ? map.rows() : map.columns();
  std::vector<double> between(is_wide ? map.columns() : map.rows());
  auto const apply = [&](std::vector<double> const& x, std::vector<double>& y) {
    if (is_wide) {
      map.multiply_transposed(x.data(), between.data());
      map.multiply(between.data(), y.data());
    } else {
      map.multiply(x.data(), between.data());
      map.multiply_transposed(between.data(), y.data());
    }
  };

  std::vector<double> next(size);
  RandomStream const random{.seed = 1, .site = without.vector.empty() ? 1u : 2u};
  for (std::size_t i = 0; i < size; ++i) next[i] = static_cast<double>(random.uniform(i)) - 0.5;

  std::vector<std::vector<double>> basis;
  Tridiagonal matrix;
  auto const orthogonalise = [&] {
    for (int pass = 0; pass < 2; ++pass) {
      if (!without.vector.empty()) add_multiple(next, -dot(next, without.vector), without.vector);
      for (std::vector<double> const& earlier : basis) add_multiple(next, -dot(next, earlier), earlier);
    }
  };
  std::size_t const dimensions = without.vector.empty() ? size : size - 1;
  // Products are rounded as if the vector left out were still there: what is shorter is not of the map.
  double const rounding = 1e-14 * without.value * without.value;
  constexpr std::size_t most_steps = 500;
  constexpr std::size_t steps_between_checks = 5;
  double scale = 0;
  double last_value = 0;
  int unchanged = 0;
  while (true) {
    double const before = v1::square_root(dot(next, next));
    orthogonalise();
    double const length = v1::square_root(dot(next, next));
    // Nothing is left: the space of the vectors so far is mapped to itself.
    double const least = 1e-10 * (basis.empty() ? before : scale);
    if (basis.size() == dimensions || length <= least || (!basis.empty() && length <= rounding)) break;
    if (!basis.empty()) matrix.beside.push_back(length);
    for (double& value : next) value /= length;
    basis.push_back(next);
    apply(basis.back(), next);
    matrix.diagonal.push_back(dot(basis.back(), next));
    if (matrix.diagonal.back() > scale) scale = matrix.diagonal.back();
    if (basis.size() % steps_between_checks != 0) continue;
    double const value = matrix.largest();
    unchanged = __builtin_fabs(value - last_value) <= 1e-10 * value ? unchanged + 1 : 0;
    last_value = value;
    if (unchanged == 3 || basis.size() >= most_steps || value == 0) break;
  }
  SingularPair pair{0, std::vector<double>(size, 0.0)};
  if (basis.empty()) return pair;
  double const square = matrix.largest();
  pair.value = v1::square_root(square > 0 ? square : 0);
  std::vector<double> const weights = matrix.vector_of(square);
  for (std::size_t i = 0; i < basis.size(); ++i) add_multiple(pair.vector, weights[i], basis[i]);
  return pair;
}

template <class Map>
double largest_singular_value(Map const& map) {
  return largest_singular_pair(map, {}).value;
}

/// Two runs, the second without the vector of the first: a value that repeats is found again.
template <class Map>
SingularValues largest_singular_values(Map const& map) {
  SingularPair const first = largest_singular_pair(map, {});
  double const second = largest_singular_pair(map, first).value;
  bool const is_rounding = second <= 1e-7 * first.value;
  return {first.value, is_rounding ? 0 : second};
}

}  // namespace detail
}  // namespace weir::inline v1
