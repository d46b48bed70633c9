#include "weir/compress/bucket_id.hpp"

#include <doctest/doctest.h>

TEST_CASE("a bucket's id is that of its parameters, wherever the bucket is in the plan") {
  weir::BucketPlan const plan({{3}, {4}, {5}}, {{2}, {0, 1}});
  weir::BucketPlan const other({{3}, {4}, {5}}, {{0, 1}, {2}});
  CHECK(weir::bucket_id(plan, 0) == weir::bucket_id(other, 1));
  CHECK(weir::bucket_id(plan, 1) == weir::bucket_id(other, 0));
  CHECK(weir::bucket_id(plan, 0) != weir::bucket_id(plan, 1));
}

TEST_CASE("other parameters, sizes or orders are other ids") {
  auto const id = [](weir::BucketPlan const& plan) { return weir::bucket_id(plan, 0); };
  std::uint64_t const of_both = id(weir::BucketPlan({{3}, {4}}, {{0, 1}}));
  CHECK(of_both != id(weir::BucketPlan({{4}, {3}}, {{0, 1}})));
  CHECK(of_both != id(weir::BucketPlan({{3}, {4}}, {{1, 0}})));
  CHECK(of_both != id(weir::BucketPlan({{3}, {4}}, {{0}, {1}})));
  CHECK(id(weir::BucketPlan({{3}, {3}}, {{0}, {1}})) != id(weir::BucketPlan({{3}, {3}}, {{1}, {0}})));
}
