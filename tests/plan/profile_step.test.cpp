#include "weir/plan/profile_step.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"

using weir::StepPart;

namespace {

/// A clock that steps move on, in nanoseconds.
struct Time {
  std::int64_t now = 0;

  std::int64_t operator()() const { return now; }
};

/// Its phases take 2, 1, 3 and 4 ms, and each further worker half as long again. At most `room` workers fit.
struct TimedStep {
  Time& time;
  std::size_t room;
  bool is_whole = false;
  std::size_t workers = 0;
  int steps = 0;

  void resize(std::size_t count) {
    if (count > room) throw weir::OutOfMemory(count);
    workers = count;
  }
  void run(StepPart part) {
    std::int64_t const up_to[] = {2, 3, 6, 10};
    auto const last =
        static_cast<std::size_t>(is_whole && part != StepPart::backward ? StepPart::update : part);
    // The first steps take longer.
    time.now += up_to[last] * (++steps <= 8 ? 10'000'000 : 500'000) * static_cast<std::int64_t>(1 + workers);
  }
  void copy_weights() { time.now += static_cast<std::int64_t>(workers - 1) * 250'000; }
  bool knows_parts() const { return !is_whole; }
};

}  // namespace

TEST_CASE("the phases of a step are told apart by running it only so far") {
  Time time;
  TimedStep step{.time = time, .room = 2};
  auto const profile =
      weir::profile_step(step, {.local_batch = 16, .most_workers = 2, .warmup = 2, .steps = 8}, time);
  CHECK(profile.size == 16);
  CHECK(profile.max_workers == 2);
  REQUIRE(profile.points.size() == 2);
  auto const& one = profile.points[0];
  CHECK(one.workers == 1);
  CHECK(one.update_ms == doctest::Approx(2));
  CHECK(one.data_ms == doctest::Approx(1));
  CHECK(one.forward_ms == doctest::Approx(3));
  CHECK(one.backward_ms == doctest::Approx(4));
  CHECK(one.copy_ms == 0);
  auto const& two = profile.points[1];
  CHECK(two.workers == 2);
  CHECK(two.copy_ms == doctest::Approx(0.25));
  CHECK(two.update_ms == doctest::Approx(2.75));  // without the copies
  CHECK(two.data_ms == doctest::Approx(1.5));
  CHECK(two.forward_ms == doctest::Approx(4.5));
  CHECK(two.backward_ms == doctest::Approx(6));
}

TEST_CASE("steps that something has interrupted do not count") {
  struct InterruptedStep : TimedStep {
    int runs = 0;

    void run(StepPart part) {
      TimedStep::run(part);
      if (++runs % 3 == 0) time.now += 50'000'000;
    }
  };
  Time time;
  InterruptedStep step{{.time = time, .room = 1}};
  auto const profile = weir::profile_step(step, {.most_workers = 1, .warmup = 2, .steps = 9}, time);
  auto const& one = profile.points.at(0);
  CHECK(one.update_ms == doctest::Approx(2));
  CHECK(one.data_ms == doctest::Approx(1));
  CHECK(one.forward_ms == doctest::Approx(3));
  CHECK(one.backward_ms == doctest::Approx(4));
}

TEST_CASE("passes that seem to take no time are measured again") {
  struct LateStep : TimedStep {
    int runs = 0;

    void run(StepPart part) {
      TimedStep::run(part);
      if (++runs <= 40 && part == StepPart::update) time.now += 50'000'000;
    }
  };
  Time time;
  LateStep step{{.time = time, .room = 1}};
  auto const profile = weir::profile_step(step, {.most_workers = 1, .warmup = 2, .steps = 8}, time);
  CHECK(step.runs == 80);
  CHECK(profile.points.at(0).update_ms == doctest::Approx(2));
  CHECK(profile.points.at(0).backward_ms == doctest::Approx(4));
}

TEST_CASE("of a step that knows no parts a third counts as its forward pass") {
  Time time;
  TimedStep step{.time = time, .room = 1, .is_whole = true};
  auto const profile = weir::profile_step(step, {.most_workers = 1, .warmup = 2, .steps = 8}, time);
  auto const& one = profile.points.at(0);
  CHECK(one.data_ms == 0);
  CHECK(one.forward_ms == doctest::Approx(8.0 / 3));
  CHECK(one.backward_ms == doctest::Approx(16.0 / 3));
}

TEST_CASE("the most workers are found where memory ends") {
  auto const workers_measured = [](std::size_t room, std::size_t most) {
    Time time;
    TimedStep step{.time = time, .room = room};
    auto const profile = weir::profile_step(step, {.most_workers = most, .warmup = 0, .steps = 1}, time);
    CHECK(profile.max_workers == (room < most ? room : most));
    std::vector<std::size_t> measured;
    for (auto const& point : profile.points) measured.push_back(point.workers);
    return measured;
  };
  CHECK(workers_measured(5, 64) == std::vector<std::size_t>{1, 2, 4, 5});
  CHECK(workers_measured(1, 64) == std::vector<std::size_t>{1});
  CHECK(workers_measured(4, 64) == std::vector<std::size_t>{1, 2, 4});
  CHECK(workers_measured(64, 3) == std::vector<std::size_t>{1, 2, 3});
  CHECK(workers_measured(64, 1) == std::vector<std::size_t>{1});
}

TEST_CASE("a step that does not fit even once is an error") {
  Time time;
  TimedStep step{.time = time, .room = 0};
  CHECK_THROWS_AS(weir::profile_step(step, {.most_workers = 4}, time), weir::OutOfMemory);
  CHECK_THROWS_AS(weir::profile_step(step, {.most_workers = 0}, time), weir::ContractViolation);
}
