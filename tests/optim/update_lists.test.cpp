#include "weir/optim/update_lists.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "support/immediate_executor.hpp"

TEST_CASE("the list of a bucket has its parameters' weights, where the plan places their gradients") {
  using E = ImmediateExecutor;
  weir::BucketPlan const plan({{5}, {3000}, {0}, {7}}, {{3}, {0, 1, 2}});
  std::vector<float> flat(plan.elements());
  weir::Weights<E> const weights(weir::view(flat), plan);
  weir::WorkLayout const layout;
  std::vector<std::uint8_t*> const used;
  weir::RecipeContext<E> const context{E(), E(), plan, weights, layout, used};
  weir::UpdateLists<E, float> const lists(context);
  lists.fill(context.executor);

  REQUIRE(lists[0].count == 1);
  CHECK(lists[0].elements == 7);
  CHECK(lists[0].chunks[0].parameter == 3);
  CHECK(lists[0].chunks[0].out == flat.data() + 3005);

  REQUIRE(lists[1].count == 3);
  CHECK(lists[1].elements == 3005);
  CHECK(lists[1].chunks[0].size == 5);
  CHECK(lists[1].chunks[1].parameter == 1);
  CHECK(lists[1].chunks[1].offset == 5);
  CHECK(lists[1].chunks[1].begin == 0);
  CHECK(lists[1].chunks[2].weights == flat.data() + lists[1].chunks[2].offset);
  CHECK(lists[1].chunks[1].size + lists[1].chunks[2].size == 3000);
}
