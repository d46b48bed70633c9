#include "weir/compress/threshold/deferred.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "support/sparse_bucket.hpp"

static_assert(weir::DefersSelection<weir::Deferred> && weir::ThresholdPolicy<weir::Deferred>);

TEST_CASE("everything goes into the residual, from where others take what they have chosen") {
  weir::HostExecutor const executor;
  weir_test::SparseBucket<float> bucket(executor, 4, {.density = 0.5, .feedback = true});
  bucket.step({1.0f, -2.0f, 3.0f, 4.0f}, weir::Deferred{});
  CHECK(bucket.counts.count == 0);
  CHECK(bucket.last().has_threshold == 0);
  std::vector<std::uint32_t> indices = {0, 1};
  std::vector<float> values(2);
  std::uint64_t const count = 2;
  weir::take_at(executor, bucket.residual_view(), weir::view(indices), &count, weir::view(values));
  executor.synchronize();
  CHECK(values == std::vector<float>{1.0f, -2.0f});
  CHECK(bucket.residual() == std::vector<float>{0.0f, 0.0f, 3.0f, 4.0f});
  bucket.step({1.0f, 1.0f, 1.0f, 1.0f}, weir::Deferred{});
  CHECK(bucket.residual() == std::vector<float>{1.0f, 1.0f, 4.0f, 5.0f});
}
