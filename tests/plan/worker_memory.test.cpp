#include "weir/plan/worker_memory.hpp"

#include <doctest/doctest.h>

using weir::max_workers;
using weir::WeightPolicy;
using weir::WorkerMemory;

TEST_CASE("the memory of ResNet-50 with 4 workers is the golden one") {
  std::size_t const weights = 25'557'032 * 4;
  WorkerMemory memory{.weights = weights, .optimizer_state = weights};
  CHECK(memory.bytes(4) == 613'368'768);
  memory.weight_sync = WeightPolicy::overlap;
  CHECK(memory.bytes(4) == 920'053'152);
  memory.weight_sync = WeightPolicy::sequential;
  CHECK(memory.bytes(4) == 920'053'152);
  CHECK(memory.bytes(4) < 1'328'965'664);  // the reference, whose buckets are copies of the gradients
}

TEST_CASE("error feedback takes a residual, a measurement of similarity a sum per worker") {
  WorkerMemory memory{.weights = 10, .optimizer_state = 20};
  CHECK(memory.bytes(3) == 10 + 30 + 20);
  memory.error_feedback = true;
  CHECK(memory.bytes(3) == 70);
  memory.similarity = true;
  CHECK(memory.bytes(3) == 100);
}

TEST_CASE("as many workers fit as the budget holds") {
  CHECK(max_workers(100, 40, 20) == 3);
  CHECK(max_workers(99, 40, 20) == 2);
  CHECK(max_workers(40, 40, 20) == 0);
  CHECK(max_workers(39, 40, 20) == 0);
  CHECK_THROWS_AS(max_workers(100, 0, 0), weir::ContractViolation);

  WorkerMemory const memory{.weights = 10, .optimizer_state = 20};
  std::size_t const budget = 100;
  std::size_t const workspace = 7;
  std::size_t const fits = max_workers(budget, memory, workspace);
  CHECK(fits == 4);
  CHECK(memory.bytes(fits) + fits * workspace <= budget);
  CHECK(memory.bytes(fits + 1) + (fits + 1) * workspace > budget);
}
