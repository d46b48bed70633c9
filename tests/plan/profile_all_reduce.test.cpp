#include "weir/plan/profile_all_reduce.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/host/executor.hpp"

TEST_CASE("all-reduces of several sizes are timed, with the same result on all ranks") {
  std::vector<weir::AllReduceProfile> profiles(2);
  on_ranks(2, [&](auto const& communicator) {
    weir::HostExecutor const exec;
    profiles[communicator.rank()] = weir::profile_all_reduce(
        exec, communicator,
        {.sizes_mib = {0.25, 1, 4}, .bytes_per_second = 1e9, .warmup = 1, .repetitions = 3});
  });
  REQUIRE(profiles[0].samples_ms.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(profiles[0].samples_ms[i].measured_ms > 0);
    CHECK(profiles[0].samples_ms[i].measured_ms == profiles[1].samples_ms[i].measured_ms);
  }
  CHECK(profiles[0].samples_ms[1].ideal_ms == doctest::Approx(2 * 1.048576));
}

TEST_CASE("there is nothing to time with a single rank") {
  weir::HostExecutor const exec;
  CHECK_THROWS_AS(weir::profile_all_reduce(exec, weir::SelfCommunicator{}), weir::ContractViolation);
}
