#include "weir/compress/sparsifier_settings.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace {

weir::BucketPlan plan() {
  return weir::BucketPlan({{1000}, {50}}, {{0}, {1}});
}

}

TEST_CASE("there is room for twice what is wanted, at the largest density of the warm-up") {
  weir::SparsifierSettings settings{.options = {.density = 0.01}};
  CHECK(settings.capacity(plan(), 0) == 20);
  CHECK(settings.capacity(plan(), 1) == 2);  // at least one is wanted
  settings.options.capacity = 1.55;
  CHECK(settings.capacity(plan(), 0) == 16);
  settings.options.warmup = {.steps_per_epoch = 1, .densities = {0.25}};
  CHECK(settings.capacity(plan(), 0) == 388);
  settings.options.warmup = {.steps_per_epoch = 1, .densities = {0.9}};
  CHECK(settings.capacity(plan(), 0) == 1000);
  settings.options.dense_below = 51;
  CHECK(settings.capacity(plan(), 1) == 0);
  settings.selects_everything = true;
  CHECK(settings.capacity(plan(), 0) == 1000);
}

TEST_CASE("the memory of a bucket follows from what is kept") {
  weir::SparsifierSettings settings{.options = {.density = 0.01, .dense_below = 51}};
  CHECK(settings.residual_sides(plan(), 0) == 0);
  CHECK(settings.workspace_bytes<float>(plan(), 0) == (2 + 10 + 10) * 8);
  settings.memory.kind = weir::SparsifierMemoryKind::residual;
  CHECK(settings.workspace_bytes<float>(plan(), 0) == 2 * 4000 + (2 + 10 + 10) * 8);
  settings.memory.kind = weir::SparsifierMemoryKind::momentum;
  CHECK(settings.workspace_bytes<double>(plan(), 0) == 4 * 8000 + (2 + 10 + 20) * 8);
  CHECK(settings.workspace_bytes<float>(plan(), 1) == 4 * 208 + 2 * 8);  // each side at a multiple of 16
  settings.memory.kind = weir::SparsifierMemoryKind::estimate;
  CHECK(settings.residual_sides(plan(), 0) == 1);
  CHECK(settings.constants(plan(), 0).feedback == weir::FeedbackKind::differences);
  CHECK(settings.constants(plan(), 1).feedback == weir::FeedbackKind::conserving);
}

TEST_CASE("what is sent whole is not rounded") {
  weir::SparsifierSettings const settings{
      .options = {.dense_below = 51, .precision = weir::ElementType::float16}};
  CHECK(settings.constants(plan(), 0).rounds_values);
  CHECK(!settings.constants(plan(), 1).rounds_values);
  CHECK(settings.constants(plan(), 0).bucket != settings.constants(plan(), 1).bucket);
}

TEST_CASE("a list of densities of another length, and a bucket that is too large, are refused") {
  auto const refusal = [](weir::SparsifierSettings const& settings, weir::BucketPlan const& of) {
    try {
      settings.check(of);
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal({}, plan()).empty());
  CHECK(refusal({.options = {.densities = {0.1, 0.1, 0.1}}}, plan()) ==
        "ThresholdSparsifier: there are 3 densities, the bucket plan has 2 buckets");
  CHECK(refusal({}, weir::BucketPlan({{10}, {std::size_t{1} << 31}}, {{0}, {1}}))
            .find("bucket 1 has 2147483648 elements") != std::string::npos);
}
