#include "weir/stage/step_reports.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

#include "support/bound_context.hpp"

namespace {
using Reports = weir::StepReports<weir::HostExecutor, float>;
}

TEST_CASE("the shares of all workers are gathered in their order, with what they stand for") {
  BoundContext const fixture;
  Reports reports(fixture.stream, 2, 2);
  CHECK(reports.workers() == 2);
  CHECK(reports.tail() == 2);
  float values[2] = {};
  std::size_t handed_out = 0;
  for (std::size_t worker : {1u, 0u}) {
    auto report = BoundContext::report(fixture.home, &values[worker], 0, worker);
    report.weight = 0.5 + static_cast<double>(worker);
    report.is_mean = worker == 1;
    reports.keep(report, report);
    reports.arrive(0, [&](std::size_t bucket) { handed_out += bucket + 1; });
  }
  CHECK(handed_out == 1);
  auto const gathered = reports.gather(fixture.stream, 0, {.number = 9});
  REQUIRE(gathered);
  CHECK(gathered->bucket == 0);
  CHECK(gathered->samples == 3 + 4);
  CHECK(gathered->step.number == 9);
  REQUIRE(gathered->shares.size() == 2);
  for (std::size_t worker = 0; worker < 2; ++worker) {
    CHECK(gathered->shares[worker].values.data == &values[worker]);
    CHECK(gathered->shares[worker].samples == worker + 3);
    CHECK(gathered->shares[worker].weight == 0.5 + static_cast<double>(worker));
    CHECK(gathered->shares[worker].is_mean == (worker == 1));
  }
}

TEST_CASE("a bucket that all workers held back is nothing, one that some held back is an error") {
  BoundContext const fixture;
  Reports reports(fixture.stream, 2, 2);
  float values[2] = {};
  for (std::size_t worker : {0u, 1u}) {
    reports.keep(BoundContext::report(fixture.home, &values[worker], 0, worker), std::nullopt);
    auto const report = BoundContext::report(fixture.home, &values[worker], 1, worker);
    reports.keep(report, worker == 0 ? std::optional(report) : std::nullopt);
  }
  CHECK_FALSE(reports.gather(fixture.stream, 0, {}));
  CHECK_THROWS_WITH_AS(reports.gather(fixture.stream, 1, {}),
                       "a stage let some workers pass and held back others", weir::ContractViolation);
}

TEST_CASE("waiting for the workers waits for what they enqueued before they reported") {
  BoundContext const fixture;
  weir::HostExecutor const workers[] = {fixture.home.fork(), fixture.home.fork()};
  Reports reports(fixture.stream, 1, 2);
  float values[2] = {};
  for (std::size_t worker : {0u, 1u}) {
    workers[worker].submit([value = &values[worker], worker] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2 + 3 * worker));
      *value = static_cast<float>(worker + 1);
    });
    auto const report = BoundContext::report(workers[worker], &values[worker], 0, worker);
    reports.keep(report, report);
  }
  float sum = 0.0f;
  reports.wait_for_workers(fixture.stream, 0);
  fixture.stream.submit([&] { sum = values[0] + values[1]; });
  fixture.stream.synchronize();
  CHECK(sum == 3.0f);
}
