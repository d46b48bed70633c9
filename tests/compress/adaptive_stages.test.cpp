#include "weir/compress/adaptive_stages.hpp"

#include <doctest/doctest.h>

TEST_CASE("adaptive stages say by which rule, the one with a memory if none is named") {
  CHECK(weir::AdaptiveStages<>{}.constants().rule == weir::StageRule::memory);
  weir::AdaptiveStages<weir::StageRule::turning> const stages{.first_ratio = 0.2, .moves_first_ratio = true};
  CHECK(stages.constants().count == weir::StageCount::adaptive);
  CHECK(stages.constants().rule == weir::StageRule::turning);
  CHECK(stages.constants().first_ratio == 0.2);
  CHECK(stages.constants().moves_first_ratio);
  CHECK(stages.text() == "adaptive stages by rule 2, first ratio 0.2, which moves the first ratio");
  CHECK(weir::AdaptiveStages<>{}.text() == "adaptive stages by rule 4");
}
