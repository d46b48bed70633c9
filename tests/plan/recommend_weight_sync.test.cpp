#include "weir/plan/recommend_weight_sync.hpp"

#include <doctest/doctest.h>

using weir::WeightPolicy;

TEST_CASE("the recommended policy is that of the reference, with an exact mean") {
  using weir::recommend_weight_sync;
  CHECK(recommend_weight_sync({7.81, 30.04, 25.04, 25.25, 9.2}) == WeightPolicy::overlap);
  CHECK(recommend_weight_sync({40.0, 40.0, 1.0}) == WeightPolicy::sequential);
  CHECK(recommend_weight_sync({37.9, 1.0}) == WeightPolicy::sequential);  // 1.516 times the cap
  CHECK(recommend_weight_sync({37.5, 1.0}) == WeightPolicy::overlap);     // 1.5 times: not above
  CHECK(recommend_weight_sync({1000.0}) == WeightPolicy::overlap);
  CHECK(recommend_weight_sync({}) == WeightPolicy::overlap);
  CHECK(recommend_weight_sync({10.0, 1.0}, 5.0) == WeightPolicy::sequential);
  CHECK(recommend_weight_sync({10.0, 1.0}, 5.0, 2.0) == WeightPolicy::overlap);
}
