#include "weir/comm/pipeline_message.hpp"

#include <doctest/doctest.h>

TEST_CASE("a tag is told as a cell") {
  CHECK(text(weir::MessageTag{.micro_batch = 3, .stage = 2}) == "2F3");
  CHECK(text(weir::MessageTag{
            .micro_batch = 3, .stage = 2, .is_forward = false, .direction = weir::Direction::reverse}) ==
        "2B3r");
  CHECK(text(weir::MessageTag{.stage = 1, .link = 2}) == "1F0 of skip edge 1");
  CHECK(text(weir::MessageTag{.micro_batch = 2, .stage = 3, .is_weight_gradient = true}) == "3W2");
  CHECK(text(weir::MessageTag{.stage = 3, .link = 2, .is_weight_gradient = true}) ==
        "3W0 of tied parameter 1");
}

TEST_CASE("tags of two runs differ") {
  CHECK_FALSE(weir::MessageTag{.run = 1} == weir::MessageTag{.run = 2});
}
