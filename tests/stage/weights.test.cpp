#include "weir/stage/weights.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "weir/host/executor.hpp"

namespace {

using Weights = weir::Weights<weir::HostExecutor, float>;
using View = weir::TensorView<float, weir::HostSpace>;

/// Three parameters of 3, 2 and 4 elements in one bucket, or in one each.
weir::BucketPlan plan(std::size_t cap) {
  return weir::BucketPlan::by_bytes({12, 8, 16}, cap, cap);
}

}  // namespace

TEST_CASE("Flat weights are cut in registration order, and a bucket of neighbours is one segment") {
  std::vector<float> flat(9);
  Weights const weights(weir::view(flat), plan(1000));
  CHECK(weights.parameters() == 3);
  CHECK(weights[1].data() == &flat[3]);
  CHECK(weights[2].size() == 4);
  auto const segments = weights.segments(plan(1000), 0);
  REQUIRE(segments.size() == 1);
  CHECK(segments[0].values.data() == flat.data());
  CHECK(segments[0].values.size() == 9);
  CHECK(weights.by_parameter(plan(1000), 0).size() == 3);
}

TEST_CASE("Views that lie apart are segments of their own, with the place of their gradient") {
  std::vector<float> one(3), rest(6);
  Weights const weights(std::vector<View>{weir::view(one), View(rest.data(), 2), View(rest.data() + 2, 4)},
                        plan(1000));
  auto const segments = weights.segments(plan(1000), 0);
  REQUIRE(segments.size() == 2);
  CHECK(segments[0].offset == 0);
  CHECK(segments[1].offset == 3);
  CHECK(segments[1].values.size() == 6);
  CHECK(weights.segments(plan(1), 0)[0].values.data() == rest.data() + 2);  // bucket 0 is the last parameter
}

TEST_CASE("Weights that do not fit the plan are refused with both sizes") {
  std::vector<float> flat(8), one(3), two(2), three(5);
  CHECK_THROWS_WITH_AS(Weights(weir::view(flat), plan(1)),
                       "the weights have 8 elements, the bucket plan has 9", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(Weights(std::vector<View>{weir::view(one), weir::view(two)}, plan(1)),
                       doctest::Contains("2 views of weights"), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(
      Weights(std::vector<View>{weir::view(one), weir::view(two), weir::view(three)}, plan(1)),
      "parameter 2 has 5 weights, the bucket plan says 4", weir::ContractViolation);
}
