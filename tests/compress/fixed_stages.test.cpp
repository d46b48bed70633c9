#include "weir/compress/fixed_stages.hpp"

#include <doctest/doctest.h>

TEST_CASE("a fixed number of stages says how many, and what the first of several leaves") {
  weir::StageConstants const one = weir::FixedStages<>{}.constants();
  CHECK(one.count == weir::StageCount::fixed);
  CHECK(one.stages == 1);
  weir::StageConstants const three = weir::FixedStages<3>{.first_ratio = 0.1}.constants();
  CHECK(three.stages == 3);
  CHECK(three.first_ratio == 0.1);
  CHECK(weir::FixedStages<1000>{}.constants().stages == 1000);
  CHECK(weir::FixedStages<1>{}.text() == "1 stage");
  CHECK(weir::FixedStages<3>{}.text() == "3 stages");
  CHECK(weir::FixedStages<3>{.first_ratio = 0.3}.text() == "3 stages, first ratio 0.3");
  CHECK(weir::FixedStages<1>{.first_ratio = 0.3}.text() == "1 stage");  // which is not of that ratio
}
