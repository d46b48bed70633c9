#include "weir/stage/bound_stage.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "support/bound_context.hpp"

namespace {

using E = weir::HostExecutor;

struct OneForAll {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  auto on(weir::RecipeContext<E> const& context) const { return context.plan.size(); }
};

struct OneForEach {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  auto on(weir::BucketContext<E> const& context) const { return context.bucket + 10; }
};

/// Enqueues work on memory of its own.
struct Enqueues {
  using consumes = weir::Dense;
  using produces = weir::Dense;
  bool* has_run;
  bool* was_gone;

  struct Bound {
    explicit Bound(bool* gone) : was_gone(gone) {}
    Bound(Bound&&) = default;
    ~Bound() {
      if (memory != nullptr) *was_gone = true;
    }
    std::unique_ptr<int> memory = std::make_unique<int>(0);
    bool* was_gone;
  };

  auto on(weir::RecipeContext<E> const& context) const {
    Bound bound(was_gone);
    context.executor.submit([memory = bound.memory.get(), has_run = has_run, was_gone = was_gone] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      *has_run = !*was_gone && ++*memory == 1;
    });
    return bound;
  }
};

}

TEST_CASE("a stage bound to the recipe is one object for all buckets") {
  BoundContext const fixture;
  OneForAll const stage;
  auto const context = fixture.context();
  weir::BoundStage<OneForAll, E, float> bound({stage, context});
  CHECK(&bound[0] == &bound[1]);
  CHECK(&bound.object() == &bound[0]);
  CHECK(bound.object() == 2);
  int calls = 0;
  bound.for_each([&](std::size_t&) { ++calls; });
  CHECK(calls == 1);
}

TEST_CASE("a stage bound to buckets is one object for each") {
  BoundContext const fixture;
  OneForEach const stage;
  auto const context = fixture.context();
  weir::BoundStage<OneForEach, E, float> bound({stage, context});
  CHECK(bound[0] == 10);
  CHECK(bound[1] == 11);
  std::vector<std::size_t> seen;
  bound.for_each([&](std::size_t& object) { seen.push_back(object); });
  CHECK(seen == std::vector<std::size_t>{10, 11});
}

TEST_CASE("what a stage enqueued while it was bound has run before its memory goes") {
  BoundContext const fixture;
  bool has_run = false, was_gone = false;
  {
    Enqueues const stage{&has_run, &was_gone};
    auto const context = fixture.context();
    weir::BoundStage<Enqueues, E, float> const bound({stage, context});
  }
  CHECK(has_run);
  CHECK(was_gone);
}
