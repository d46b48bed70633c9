#include "weir/pipeline/parameter_unit.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/host/executor.hpp"

namespace {

using Unit = weir::ParameterUnit<weir::HostExecutor, double>;

Unit::Shape shape(std::size_t versions, std::size_t delay) {
  return {
      .plan = weir::BucketPlan::by_bytes({{3, weir::ElementType::float64}, {2, weir::ElementType::float64}}),
      .contributors = 2,
      .versions = versions,
      .delay = delay};
}

}  // namespace

TEST_CASE("one version stays in the caller's memory") {
  weir::HostExecutor const executor;
  Unit unit(executor, shape(1, 0));
  std::vector<double> weights(5);
  unit.bind({weir::view(weights.data(), 3), weir::view(weights.data() + 3, 2)});
  CHECK(unit.weights(0, 0).data() == weights.data());
  CHECK(unit.weights(7, 1).data() == weights.data() + 3);
}

TEST_CASE("versions lie at equal distances, and begin with the caller's weights") {
  weir::HostExecutor const executor;
  Unit unit(executor, shape(3, 2));
  std::vector<double> weights{1, 2, 3, 4, 5};
  unit.bind({weir::view(weights.data(), 3), weir::view(weights.data() + 3, 2)});
  CHECK(unit.weights(0, 1)[1] == 5);
  auto const distance = unit.weights(1, 0).data() - unit.weights(0, 0).data();
  CHECK(distance == unit.weights(2, 1).data() - unit.weights(1, 1).data());
  CHECK(distance % 8 == 0);  // lines of memory
  CHECK(unit.weights(3, 0).data() == unit.weights(0, 0).data());
}

TEST_CASE("each contributor has a gradient for every update that can be under way, and one more") {
  weir::HostExecutor const executor;
  Unit const unit(executor, shape(2, 1));
  CHECK(unit.gradient(0, 0, 0).data() != unit.gradient(0, 1, 0).data());
  CHECK(unit.gradient(0, 0, 0).data() != unit.gradient(1, 0, 0).data());
  CHECK(unit.gradient(0, 0, 0).data() == unit.gradient(2, 0, 0).data());
  CHECK(unit.gradient(0, 0, 1).size() == 2);
}
