#include "weir/stage/context.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "weir/host/executor.hpp"

TEST_CASE("A bucket's context tells its size, type, workers and weights") {
  weir::HostExecutor const executor;
  auto const plan =
      weir::BucketPlan::by_bytes({{3, weir::ElementType::bfloat16}, {5, weir::ElementType::float32}}, 1, 1);
  std::vector<float> flat(8);
  weir::Weights<weir::HostExecutor> const weights(weir::view(flat), plan);
  weir::WorkLayout const layout{.workers = 4};
  std::vector<std::uint8_t*> const used;
  weir::RecipeContext<weir::HostExecutor> const recipe{executor, executor, plan, weights, layout, used};

  auto const first = weir::bucket_context(recipe, 0);
  CHECK(first.size == 5);
  CHECK(first.type == weir::ElementType::float32);
  CHECK(first.workers == 4);
  auto const second = weir::bucket_context(recipe, 1);
  CHECK(second.bucket == 1);
  CHECK(second.type == weir::ElementType::bfloat16);
  REQUIRE(second.weights.size() == 1);
  CHECK(second.weights[0].values.data() == flat.data());
}
