#include "weir/exec/sent_value.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>

using weir::detail::kept_value;
using weir::detail::sent_value;

TEST_CASE("what is sent whole leaves +0") {
  weir::SparsifyConstants const constants;
  for (float const value : {1.5f, -3e-42f, -0.1f}) {
    float const sent = sent_value(value, constants);
    CHECK(sent == value);
    CHECK(std::bit_cast<std::uint32_t>(kept_value(value, sent)) == 0);
  }
}

TEST_CASE("what is rounded leaves the difference") {
  weir::SparsifyConstants constants{.rounds_values = true, .precision = weir::ElementType::float16};
  CHECK(sent_value(0.1f, constants) == float(weir::half(0.1f)));
  CHECK(kept_value(0.1f, sent_value(0.1f, constants)) == 0.1f - float(weir::half(0.1f)));
  CHECK(sent_value(1e6f, constants) == 65504.0f);
  CHECK(sent_value(-65520.0f, constants) == -65504.0f);
  CHECK(kept_value(-65520.0f, -65504.0f) == -16.0f);
  CHECK(sent_value(1e-10f, constants) == 0.0f);
  constants.precision = weir::ElementType::bfloat16;
  CHECK(sent_value(0.1f, constants) == float(weir::bfloat16(0.1f)));
  float const largest = std::numeric_limits<float>::max();
  CHECK(std::isfinite(sent_value(largest, constants)));
  CHECK(std::isfinite(sent_value(-largest, constants)));
  CHECK(sent_value(0.1, constants) == static_cast<double>(float(weir::bfloat16(0.1f))));
}

TEST_CASE("what is not finite is sent as it is and leaves nothing") {
  weir::SparsifyConstants const constants{.rounds_values = true};
  float const infinite = std::numeric_limits<float>::infinity();
  CHECK(sent_value(-infinite, constants) == -infinite);
  CHECK(std::isnan(sent_value(std::numeric_limits<float>::quiet_NaN(), constants)));
  CHECK(kept_value(infinite, infinite) == 0.0f);
  CHECK(kept_value(std::numeric_limits<float>::quiet_NaN(), 0.0f) == 0.0f);
}
