#include "weir/pipeline/pipeline_lane.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "weir/host/executor.hpp"

TEST_CASE("a message is released once") {
  std::byte memory[8];
  weir::MessagePool pool(memory, 8, 1);
  weir::PipelineMessage message{.tag = {}, .data = pool.take(), .bytes = 8, .home = &pool};
  weir::detail::release(message);
  weir::detail::release(message);
  CHECK(pool.take() == memory);
  CHECK_THROWS_AS(pool.take(), weir::ContractViolation);
}

TEST_CASE("a skip edge is found by its link") {
  using Lane = weir::detail::LaneState<weir::HostExecutor, float>;
  std::vector<Lane::SkipEnd> const ends{{.link = 3}, {.link = 1}};
  CHECK(Lane::index_of(ends, 1) == 1);
}
