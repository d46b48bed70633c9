#include "weir/core/convert.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>

#include "weir/core/half.hpp"

using weir::bfloat16;
using weir::half;
using weir::detail::convert;
using weir::detail::sticky_float;

static_assert(convert<float>(0.1) == 0.1f && convert<double>(half(0.5f)) == 0.5);
static_assert(std::is_same_v<decltype(convert<half>(1.0f)), half>);

TEST_CASE("a float that stands for a double is exact or odd, and nearer to zero") {
  CHECK(sticky_float(0.5) == 0.5f);
  CHECK(sticky_float(1 + 0x1p-30) == 1 + 0x1p-23f);
  CHECK(sticky_float(1 + 0x1p-23 - 0x1p-30) == 1 + 0x1p-23f);
  CHECK(sticky_float(-1 - 0x1p-30) == -1 - 0x1p-23f);
  CHECK(std::isnan(sticky_float(std::nan(""))));
}

TEST_CASE("what rounding twice would get wrong is rounded once") {
  double const above_the_middle = 1 + 0x1p-11 + 0x1p-40;
  CHECK(static_cast<float>(half(static_cast<float>(above_the_middle))) == 1.0f);
  CHECK(static_cast<float>(convert<half>(above_the_middle)) == 1 + 0x1p-10f);
  CHECK(static_cast<float>(convert<bfloat16>(-1 - 0x1p-8 - 0x1p-40)) == -1 - 0x1p-7f);
  CHECK(convert<bfloat16>(half(1.5f)).bits() == bfloat16(1.5f).bits());
}
