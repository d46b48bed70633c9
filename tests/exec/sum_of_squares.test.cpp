#include "weir/exec/sum_of_squares.hpp"

#include <doctest/doctest.h>

#include <type_traits>

static_assert(std::is_trivially_copyable_v<weir::SumOfSquares>);

TEST_CASE("squares are added up with the square of their factor") {
  weir::Measurement const measurements[] = {{9.0, 0}, {16.0, 0}};
  double sum = 0;
  weir::SumOfSquares{measurements, 2, {0.5}, &sum}();
  CHECK(sum == 6.25);
  weir::GradientControl const control{.factor = 2};
  weir::SumOfSquares{measurements, 2, {0.5, &control}, &sum}();
  CHECK(sum == 25);
  weir::SumOfSquares{measurements, 0, {}, &sum}();
  CHECK(sum == 0);
}

TEST_CASE("an element that is not finite makes the sum no number") {
  weir::Measurement const measurements[] = {{9.0, 0}, {16.0, 1}};
  double sum = 0;
  weir::SumOfSquares{measurements, 2, {}, &sum}();
  CHECK(sum != sum);
}
