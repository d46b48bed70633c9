#include "weir/exec/task.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>

namespace {
using Task = weir::Task<int, 64>;
}

TEST_CASE("a task calls its function with the argument, or without where the function takes none") {
  int argument = 7, seen = 0;
  Task task;
  task.emplace([&seen](int& value) { seen = value; });
  CHECK(seen == 0);
  task.run(argument);
  CHECK(seen == 7);
  task.emplace([&seen] { seen = 1; });
  task.run(argument);
  CHECK(seen == 1);
}

TEST_CASE("what a task holds is given up when it has run, once, also when it throws") {
  int argument = 0;
  auto const held = std::make_shared<int>(1);
  Task task;
  task.emplace([held] {});
  CHECK(held.use_count() == 2);
  task.run(argument);
  CHECK(held.use_count() == 1);
  task.emplace([held] { throw std::runtime_error("no"); });
  CHECK_THROWS_AS(task.run(argument), std::runtime_error);
  CHECK(held.use_count() == 1);
}

TEST_CASE("a task that never ran gives up what it holds, and does not call") {
  auto const held = std::make_shared<int>(1);
  bool called = false;
  std::optional<Task> task(std::in_place);
  task->emplace([held, &called] { called = true; });
  CHECK(held.use_count() == 2);
  task.reset();
  CHECK(held.use_count() == 1);
  CHECK(!called);
}

TEST_CASE("a function may be moved into a task") {
  int argument = 0, seen = 0;
  Task task;
  task.emplace([value = std::make_unique<int>(5), &seen] { seen = *value; });
  task.run(argument);
  CHECK(seen == 5);
}
