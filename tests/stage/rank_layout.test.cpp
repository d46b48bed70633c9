#include "weir/stage/rank_layout.hpp"

#include <doctest/doctest.h>

TEST_CASE("Micro-batches are numbered rank by rank") {
  weir::RankLayout layout{0, {{3, 1, 8}, {1, 1, 8}, {2, 3, 8}, {1, 5, 8}}};
  std::size_t const first[] = {0, 3, 4, 10};
  for (layout.rank = 0; layout.rank < 4; ++layout.rank) {
    CHECK(layout.first_micro_batch() == first[layout.rank]);
    CHECK(layout.total_micro_batches() == 15);
  }
  CHECK(weir::RankLayout{}.total_micro_batches() == 1);
}
