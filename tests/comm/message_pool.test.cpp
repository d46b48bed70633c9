#include "weir/comm/message_pool.hpp"

#include <doctest/doctest.h>

#include <cstddef>

TEST_CASE("a pool gives each buffer to one at a time, and all of them again after a refill") {
  std::byte memory[3 * 16];
  weir::MessagePool pool(memory, 16, 3);
  std::byte* const first = pool.take();
  std::byte* const second = pool.take();
  CHECK(first == memory);
  CHECK(second == memory + 16);
  CHECK(pool.take() == memory + 32);
  CHECK_THROWS_AS(pool.take(), weir::ContractViolation);
  pool.give_back(second);
  CHECK(pool.take() == second);
  pool.refill();
  for (int i = 0; i < 3; ++i) CHECK(pool.take() == memory + 16 * i);
}
