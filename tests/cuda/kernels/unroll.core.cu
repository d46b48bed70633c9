#include <doctest/doctest.h>

#include "weir/cuda/kernels/unroll.cuh"

namespace {

/// Appends a digit.
struct Append {
  int& number;
  WEIR_HOST_DEVICE void operator()(int digit) const { number = number * 10 + digit + 1; }
};

}  // namespace

TEST_CASE("a function is called with each index in order") {
  int number = 0;
  weir::detail::unroll<5>(Append{number});
  weir::detail::unroll<0>(Append{number});
  CHECK(number == 12345);
}
