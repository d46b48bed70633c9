#include "weir/compress/fixed_ratio_stages.hpp"

#include <doctest/doctest.h>

TEST_CASE("stages of a fixed ratio say which") {
  weir::FixedRatioStages const stages{.ratio = 0.075};
  CHECK(stages.constants().count == weir::StageCount::ratio);
  CHECK(stages.constants().ratio == 0.075);
  CHECK(stages.constants().first_ratio == 0.25);
  CHECK(stages.text() == "stages of ratio 0.075");
  CHECK(weir::FixedRatioStages{.ratio = 1e-7, .first_ratio = 0.3}.text() ==
        "stages of ratio 1e-07, first ratio 0.3");
}
