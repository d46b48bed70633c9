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

TEST_CASE("the buffers of several pools are told apart by their numbers") {
  std::byte memory[2 * 16];
  weir::MessagePool pool(memory, 16, 2, 5);
  CHECK(pool.number_of(pool.take()) == 5);
  CHECK(pool.number_of(pool.take()) == 6);
  weir::MessagePool const of_nothing(memory, 0, 2, 7);
  CHECK(of_nothing.number_of(memory) == 7);
}
