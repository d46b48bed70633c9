#include "weir/plan/batch_controller.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "quick_start.hpp"

using weir::BatchChange;
using weir::BatchLimits;
using weir::change_batch;
using weir::change_by_noise;
using weir::change_by_similarity;
using weir::TimeModel;

TEST_CASE("the similarity decides which way the batch goes") {
  CHECK(change_by_similarity(0.05) == BatchChange::grow);
  CHECK(change_by_similarity(0.2) == BatchChange::shrink);
  CHECK(change_by_similarity(0.1) == BatchChange::keep);
  CHECK(change_by_similarity({}) == BatchChange::keep);
  CHECK(change_by_similarity(0.2, 0.5) == BatchChange::grow);
}

TEST_CASE("the noise scale decides which way the batch goes, beyond a margin") {
  CHECK(change_by_noise(641, 512) == BatchChange::grow);
  CHECK(change_by_noise(640, 512) == BatchChange::keep);
  CHECK(change_by_noise(410, 512) == BatchChange::keep);
  CHECK(change_by_noise(409, 512) == BatchChange::shrink);
  CHECK(change_by_noise({}, 512) == BatchChange::keep);
}

TEST_CASE("the changed batches of the quick-start profile are the golden ones") {
  TimeModel const model(quick_start());
  BatchLimits const limits{.low = 256, .high = 4096};
  auto const grown = change_batch(model, {.global_batch = 512}, BatchChange::grow, limits);
  REQUIRE(grown);
  CHECK(grown->global_batch == 576);
  CHECK(grown->local_batch == 32);
  CHECK(grown->samples_per_second() == doctest::Approx(1797.249).epsilon(1e-6));
  auto const other = change_batch(model, {.global_batch = 512, .local_batch = 64}, BatchChange::grow, limits);
  REQUIRE(other);
  CHECK(other->global_batch == 576);
  CHECK(other->samples_per_second() == doctest::Approx(1497.930).epsilon(1e-6));
  auto const shrunk = change_batch(model, {.global_batch = 512}, BatchChange::shrink, limits);
  REQUIRE(shrunk);
  CHECK(shrunk->global_batch == 448);
  CHECK(shrunk->samples_per_second() == doctest::Approx(1491.699).epsilon(1e-6));
}

TEST_CASE("a batch changes monotonously, up to its limits") {
  TimeModel const model(quick_start());
  BatchLimits const limits{.low = 300, .high = 2000};
  for (auto const change : {BatchChange::grow, BatchChange::shrink}) {
    std::size_t batch = 1024;
    std::size_t changes = 0;
    while (auto const plan = change_batch(model, {.global_batch = batch}, change, limits)) {
      CHECK((plan->global_batch > batch) == (change == BatchChange::grow));
      CHECK(plan->global_batch >= limits.low);
      CHECK(plan->global_batch <= limits.high);
      batch = plan->global_batch;
      REQUIRE(++changes < 100);
    }
    CHECK(changes > 3);
    CHECK((change == BatchChange::grow ? batch > 1800 : batch < 352));
  }
}

TEST_CASE("a batch that no candidate changes is kept") {
  TimeModel const model(quick_start());
  CHECK_FALSE(change_batch(model, {.global_batch = 512}, BatchChange::keep, {.low = 256, .high = 4096}));
  CHECK_FALSE(change_batch(model, {.global_batch = 512}, BatchChange::grow, {.low = 256, .high = 512}));
  CHECK_FALSE(change_batch(model, {.global_batch = 256}, BatchChange::shrink, {.low = 1, .high = 4096}));
  // A step of 1 % is less than a local batch.
  CHECK_FALSE(change_batch(model, {.global_batch = 512}, BatchChange::grow,
                           {.low = 256, .high = 4096, .rate = 0.01}));
}

TEST_CASE("as in the reference the micro-batches may be kept even") {
  TimeModel const model(quick_start());
  BatchLimits const limits{.low = 256, .high = 4096, .rate = 0.03, .two_group = true};
  auto const grown = change_batch(model, {.global_batch = 512, .local_batch = 32}, BatchChange::grow, limits);
  CHECK_FALSE(grown);  // 527 rounds to 16 micro-batches, as they were
  BatchLimits const wider{.low = 256, .high = 4096, .rate = 0.06, .two_group = true};
  auto const even = change_batch(model, {.global_batch = 512, .local_batch = 32}, BatchChange::grow, wider);
  REQUIRE(even);
  CHECK(even->global_batch == 18 * 32);
  auto const fewer =
      change_batch(model, {.global_batch = 512, .local_batch = 32}, BatchChange::shrink, wider);
  REQUIRE(fewer);
  CHECK(fewer->global_batch == 14 * 32);
}
