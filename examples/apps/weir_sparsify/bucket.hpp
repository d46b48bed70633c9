#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "gradient.hpp"
#include "metered_passes.hpp"
#include "options.hpp"
#include "weir/exec/sparsify_statistics.hpp"
#include "weir/host/thread_team.hpp"

namespace weir_sparsify {

/// What one step has done.
struct StepReport {
  weir::SparsifyStatistics statistics = {};
  std::uint64_t k_target = 0;
  bool is_collapsed = false;  // the fixed number of stages has long missed the density by far
  Cost cost = {};
};

/// An array of one dimension; there until the next step.
struct ArrayBytes {
  char const* descr;  // as in .npy files
  std::size_t size;   // elements
  std::span<std::byte const> bytes;
};

/// One bucket and what its sparsification keeps from step to step, whatever its type.
class Bucket {
 public:
  Bucket() = default;
  Bucket(Bucket const&) = delete;
  virtual ~Bucket() = default;

  /// Steps with different numbers draw different samples.
  virtual StepReport step(Gradient const& gradient, std::uint64_t number) = 0;

  /// Of the last step.
  virtual ArrayBytes indices() const = 0;
  virtual ArrayBytes values() const = 0;
  /// As long as the gradient.
  virtual ArrayBytes residual() = 0;

  /// How long it takes to add up the last step's pairs of so many ranks.
  virtual double seconds_to_add_up(std::size_t ranks) = 0;
};

/// The bucket for gradients of the type and size of this one. `team` and `options` outlive it.
std::unique_ptr<Bucket> make_bucket(weir::ThreadTeam& team, Options const& options, Gradient const& example);

// Those that accumulate in float and in double, each in a file of its own: they take a while to compile.
std::unique_ptr<Bucket> make_float_bucket(weir::ThreadTeam& team, Options const& options,
                                          Gradient const& example);
std::unique_ptr<Bucket> make_double_bucket(weir::ThreadTeam& team, Options const& options,
                                           Gradient const& example);

/// On the GPU that is current. Defined where this program is built with CUDA. Errors: `RunError` without a
/// GPU, and for a bucket too large for it; `UsageError` for an estimator that it does not have.
std::unique_ptr<Bucket> make_gpu_bucket(Options const& options, Gradient const& example);

}  // namespace weir_sparsify
