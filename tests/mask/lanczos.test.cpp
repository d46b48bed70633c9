#include "weir/mask/lanczos.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using weir::detail::Tridiagonal;

struct DiagonalMap {
  std::vector<double> values;
  std::size_t rows() const { return values.size(); }
  std::size_t columns() const { return values.size(); }
  void multiply(double const* x, double* y) const {
    for (std::size_t i = 0; i < values.size(); ++i) y[i] = values[i] * x[i];
  }
  void multiply_transposed(double const* y, double* x) const { multiply(y, x); }
};

}  // namespace

TEST_CASE("Tridiagonal: the largest eigenvalue and its vector of a chain with known ones") {
  for (std::size_t size : {1u, 2u, 7u, 60u}) {
    CAPTURE(size);
    Tridiagonal const chain{std::vector<double>(size, 2.0), std::vector<double>(size - 1, 1.0)};
    double const expected = 2 + 2 * std::cos(std::acos(-1.0) / static_cast<double>(size + 1));
    double const value = chain.largest();
    CHECK(value == doctest::Approx(expected).epsilon(1e-13));
    std::vector<double> const x = chain.vector_of(value);
    double error = 0;
    for (std::size_t i = 0; i < size; ++i) {
      double const image = 2 * x[i] + (i > 0 ? x[i - 1] : 0) + (i + 1 < size ? x[i + 1] : 0);
      error = std::fmax(error, std::fabs(image - value * x[i]));
    }
    CHECK(error < 1e-9);
  }
}

TEST_CASE("largest_singular_values: single, repeated, near and absent second values") {
  auto const check = [](std::vector<double> values, double first, double second) {
    weir::SingularValues const found = weir::detail::largest_singular_values(DiagonalMap{values});
    CHECK(found.first == doctest::Approx(first).epsilon(1e-9));
    CHECK(found.second == doctest::Approx(second).epsilon(1e-6));
  };
  check({3, 1, 2, 0.5}, 3, 2);
  check({3, 3, 2}, 3, 3);
  check({5, 0, 0}, 5, 0);
  check({0, 0}, 0, 0);
  check({4}, 4, 0);
  std::vector<double> many(400);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = 1 + static_cast<double>(i) / 1000;
  check(many, 1.399, 1.398);
  many.back() = 1000;
  check(many, 1000, 1.398);
}
