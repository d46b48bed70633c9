#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/comm/gather_pairs.hpp"
#include "weir/compress/bucket_id.hpp"
#include "weir/compress/sparsifier_memory.hpp"
#include "weir/compress/threshold_sparsifier_options.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/threshold_state.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

/// All that a sparsifier was told but its threshold policy, and what follows from it for each bucket.
struct SparsifierSettings {
  ThresholdSparsifierOptions options = {};
  StageConstants stages = {};
  NonFinitePolicy non_finite = NonFinitePolicy::skip;
  SparsifierMemory memory = {};
  bool selects_everything = false;  // the policy does

  bool is_kept_dense(BucketPlan const& plan, std::size_t bucket) const {
    return plan[bucket].size < options.dense_below;
  }

  double density(std::size_t bucket, std::uint64_t step) const {
    return options.warmup.of_step(step, options.density_of(bucket));
  }

  /// Room for the selected slots of a bucket.
  std::size_t capacity(BucketPlan const& plan, std::size_t bucket) const {
    std::size_t const size = plan[bucket].size;
    if (is_kept_dense(plan, bucket)) return 0;
    if (selects_everything) return size;
    double const largest = options.warmup.largest(options.density_of(bucket));
    double const room = options.capacity * static_cast<double>(slots_of(largest, size));
    if (!(room < static_cast<double>(size))) return size;
    std::size_t const whole = static_cast<std::size_t>(room);
    return static_cast<double>(whole) < room ? whole + 1 : whole;
  }

  SparsifyConstants constants(BucketPlan const& plan, std::size_t bucket) const {
    SparsifyConstants constants{.stages = stages,
                                .reuse = options.reuse,
                                .non_finite = non_finite,
                                .beta = memory.beta,
                                .gamma = memory.gamma,
                                .momentum = memory.momentum,
                                .nesterov = memory.nesterov,
                                .masks_momentum = memory.masks_momentum,
                                .keeps_non_finite = is_kept_dense(plan, bucket),
                                .rounds_values = false,
                                .precision = options.precision,
                                .seed = options.seed,
                                .bucket = bucket_id(plan, bucket)};
    if (memory.kind == SparsifierMemoryKind::estimate && !is_kept_dense(plan, bucket))
      constants.feedback = FeedbackKind::differences;
    constants.rounds_values = size_of(options.precision) == 2 && !is_kept_dense(plan, bucket);
    return constants;
  }

  /// How many copies of a bucket's residual there are: two where a step can be undone.
  std::size_t residual_sides(BucketPlan const& plan, std::size_t bucket) const {
    if (is_kept_dense(plan, bucket)) return 2;
    switch (memory.kind) {
      case SparsifierMemoryKind::none:
        return 0;
      case SparsifierMemoryKind::estimate:
        return 1;
      case SparsifierMemoryKind::residual:
      case SparsifierMemoryKind::momentum:
        break;
    }
    return 2;
  }

  std::size_t momentum_sides() const { return memory.kind == SparsifierMemoryKind::momentum ? 2 : 0; }

  /// From one side of a vector to the next: all begin at a multiple of 16 bytes, so that backends can read
  /// several elements of each at once. Units: elements.
  template <class Real>
  static std::size_t side_distance(std::size_t size) {
    constexpr std::size_t pack = 16 / sizeof(Real);
    return (size + pack - 1) / pack * pack;
  }

  /// Of vectors and pairs. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, std::size_t bucket) const {
    std::size_t const vectors = residual_sides(plan, bucket) + momentum_sides();
    return vectors * side_distance<Real>(plan[bucket].size) * sizeof(Real) +
           pair_words<Real>(plan, bucket) * sizeof(std::uint64_t);
  }

  /// Of the block that the pairs of a bucket lie in.
  template <class Real>
  std::size_t pair_words(BucketPlan const& plan, std::size_t bucket) const {
    return PairBlocks<Real, HostSpace>::words(capacity(plan, bucket));
  }

  /// Errors: `ContractViolation` that names the bucket.
  void check(BucketPlan const& plan) const {
    if (!options.densities.empty() && options.densities.size() != plan.size())
      throw ContractViolation("ThresholdSparsifier: there are " + std::to_string(options.densities.size()) +
                              " densities, the bucket plan has " + std::to_string(plan.size()) + " buckets");
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      if (plan[bucket].size >= std::size_t{1} << 31)
        throw ContractViolation(
            "ThresholdSparsifier: bucket " + std::to_string(bucket) + " has " +
            std::to_string(plan[bucket].size) +
            " elements, it has to have fewer than 2^31: give the bucket plan a smaller cap");
    }
  }
};

}  // namespace weir::inline v1
