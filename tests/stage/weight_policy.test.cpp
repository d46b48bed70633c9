#include "weir/stage/weight_policy.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("weight policies have the names that programs take and give") {
  using weir::name_of;
  using weir::WeightPolicy;
  CHECK(name_of(WeightPolicy::shared) == std::string("shared"));
  CHECK(name_of(WeightPolicy::sequential) == std::string("sequential"));
  CHECK(name_of(WeightPolicy::overlap) == std::string("overlap"));
}
