#include "weir/pipeline/pipeline_workers.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "pipeline/logging_executor.hpp"
#include "weir/host/executor.hpp"

namespace {

/// Its events are reached when they have been asked for a few times.
struct SlowExecutor : LoggingExecutor {
  SlowExecutor fork() const { return {}; }
  bool reached(event_type const&) const { return ++*asked > 3; }

  std::shared_ptr<int> asked = std::make_shared<int>(0);
};

}  // namespace

TEST_CASE("workers have their numbers, and who waits on a device looks until what was enqueued has run") {
  SlowExecutor const home;
  weir::detail::PipelineWorkers<SlowExecutor> workers(home);
  workers.add(1, home);
  workers.add(4, home);
  CHECK(workers.size() == 2);
  CHECK(workers.find(0) == nullptr);
  CHECK(workers.find(4) == &(workers.begin() + 1)->executor);
  workers.finish(home);
  CHECK(*home.asked == 0);
  int looks = 0;
  workers.finish(home, [&] { ++looks; });
  CHECK(looks == 3);
}

TEST_CASE("workers that are threads have ended when `finish` returns") {
  weir::HostExecutor const home;
  weir::detail::PipelineWorkers<weir::HostExecutor> workers(home);
  workers.add(0, home);
  int count = 0;
  for (int i = 0; i < 100; ++i) workers.find(0)->submit([&] { ++count; });
  workers.finish(home, [] {});
  CHECK(count == 100);
}
