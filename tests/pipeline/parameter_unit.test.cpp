#include "weir/pipeline/parameter_unit.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fault/counting_resource.hpp"
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

TEST_CASE("of several versions the caller's memory is one, and the others are laid out like it") {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  Unit unit(executor, shape(3, 2));
  std::vector<double> weights{1, 2, 3, 0, 4, 5};
  std::size_t const before = memory.bytes();
  unit.bind({weir::view(weights.data(), 3), weir::view(weights.data() + 4, 2)});
  CHECK(memory.bytes() - before == 2 * 64 + 64);  // two lines, and to where the caller's line begins
  CHECK(unit.weights(0, 0).data() == weights.data());
  CHECK(unit.weights(0, 1).data() == weights.data() + 4);
  for (std::uint64_t version = 0; version < 3; ++version) {
    CHECK(unit.weights(version, 1).data() - unit.weights(version, 0).data() == 4);
    auto const place = reinterpret_cast<std::uintptr_t>(unit.weights(version, 0).data());
    CHECK(place % 64 == reinterpret_cast<std::uintptr_t>(weights.data()) % 64);
  }
  auto const distance = unit.weights(2, 0).data() - unit.weights(1, 0).data();
  CHECK((distance == 8 || distance == -16));
  CHECK(unit.weights(3, 0).data() == unit.weights(0, 0).data());
}

TEST_CASE("the latest version goes to the caller's memory, which is the first place from there on") {
  weir::HostExecutor const executor;
  Unit unit(executor, shape(2, 1));
  std::vector<double> weights{1, 2, 3, 4, 5};
  unit.bind({weir::view(weights.data(), 3), weir::view(weights.data() + 3, 2)});
  auto const write = [&](std::uint64_t version, std::size_t parameter, double value) {
    auto const view = unit.weights(version, parameter);
    for (std::size_t i = 0; i < view.size(); ++i) const_cast<double*>(view.data())[i] = value;
  };
  write(1, 0, 10);
  write(1, 1, 11);
  unit.set_count(1);
  CHECK(weights == std::vector<double>{1, 2, 3, 4, 5});
  unit.export_weights();
  CHECK(weights == std::vector<double>{10, 10, 10, 11, 11});
  CHECK(unit.weights(1, 0).data() == weights.data());
  CHECK(unit.weights(2, 0).data() != weights.data());
  unit.set_count(3);  // the caller's memory again
  write(3, 1, 12);
  unit.export_weights();
  CHECK(weights == std::vector<double>{10, 10, 10, 12, 12});
}

TEST_CASE("versions of weights that are far apart have a place each, beside the caller's memory") {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  Unit unit(executor, shape(2, 1));
  std::vector<double> weights(1000);
  weights[999] = 5;
  std::size_t const before = memory.bytes();
  unit.bind({weir::view(weights.data(), 3), weir::view(weights.data() + 998, 2)});
  CHECK(memory.bytes() - before == 2 * 2 * 64);
  CHECK(unit.weights(0, 1)[1] == 5);
  CHECK(unit.weights(0, 1).data() != weights.data() + 998);
  auto const distance = unit.weights(1, 0).data() - unit.weights(0, 0).data();
  CHECK(distance == 16);
  CHECK(unit.weights(2, 0).data() == unit.weights(0, 0).data());
  const_cast<double*>(unit.weights(1, 1).data())[1] = 7;
  unit.set_count(1);
  unit.export_weights();
  CHECK(weights[999] == 7);
}

TEST_CASE("each contributor has a gradient for every update that can be under way, and one more") {
  weir::HostExecutor const executor;
  Unit const unit(executor, shape(2, 1));
  CHECK(unit.gradient(0, 0, 0).data() != unit.gradient(0, 1, 0).data());
  CHECK(unit.gradient(0, 0, 0).data() != unit.gradient(1, 0, 0).data());
  CHECK(unit.gradient(0, 0, 0).data() == unit.gradient(2, 0, 0).data());
  CHECK(unit.gradient(0, 0, 1).size() == 2);
}

TEST_CASE("there is room for a gradient when the one that lay there has been used") {
  weir::HostExecutor const executor;
  Unit unit(executor, shape(2, 1));
  CHECK(unit.has_room_for(1));
  CHECK_FALSE(unit.has_room_for(2));
  unit.set_count(1);
  CHECK(unit.has_room_for(2));
  CHECK_FALSE(unit.has_room_for(3));
}

TEST_CASE("an update is of as many samples as it is told, of all replicas") {
  weir::HostExecutor const executor;
  Unit unit(executor, shape(2, 1));
  Unit::Launch const launch{unit};
  CHECK(launch.samples() == 0);
  unit.tell_samples(0, 30);
  unit.tell_samples(1, 31);
  CHECK(launch.samples() == 30);
  unit.set_count(1);
  CHECK(launch.samples() == 31);
  unit.tell_samples(1, 0);
  CHECK(launch.samples() == 0);
}

TEST_CASE("an update is counted if its step has taken effect, whether or not its failure is still known") {
  struct Recipe {
    std::uint64_t started = 0;
    std::uint64_t steps = 0;
    bool fails = false;
  } recipe;
  weir::HostExecutor const executor;
  Unit unit(executor, shape(1, 0));
  std::vector<double> weights(5);
  unit.bind({weir::view(weights.data(), 3), weir::view(weights.data() + 3, 2)});
  unit.set_update(
      &recipe,
      [](void* bound, Unit&) {
        auto& called = *static_cast<Recipe*>(bound);
        if (!called.fails) called.steps = called.started + 1;
        return ++called.started;
      },
      [](void* bound, std::uint64_t steps) { return static_cast<Recipe*>(bound)->steps == steps; });
  auto const arrive = [&](std::uint64_t update) {
    for (std::size_t contributor = 0; contributor < 2; ++contributor)
      unit.arrive(update, contributor, 1, 1, executor);
    unit.executor().synchronize();
  };
  arrive(0);
  CHECK(unit.completed() == 1);
  recipe.fails = true;
  arrive(1);
  CHECK(unit.completed() == 1);
  CHECK(unit.has_failed());
  recipe = {7, 7, false};  // of a checkpoint
  unit.resume(3);
  CHECK_FALSE(unit.has_failed());
  arrive(3);
  CHECK(unit.completed() == 4);
}
