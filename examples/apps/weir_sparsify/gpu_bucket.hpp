#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "bucket.hpp"
#include "left_out.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/sparsify.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_sparsify {

/// A bucket of gradients of this type on the GPU that is current. `Policies::with(estimator, f)` calls `f`
/// with the policy, as `DevicePolicies` does.
///
/// The search for the threshold and the selection are one kernel there, so that all of its time is that of
/// the selection. Of the bytes, those of the first pass over the bucket and of the outputs are counted:
/// whether a search has to look again is not known on the host.
template <class Element, class Policies>
class GpuBucket final : public Bucket {
 public:
  using Real = std::conditional_t<std::is_same_v<Element, double>, double, float>;
  using Work = weir::SparsifyWork<Element, Real, weir::DeviceSpace>;

  GpuBucket(Options const& options, std::size_t size)
      : options_(options),
        size_(size),
        gradient_(executor_, size),
        accumulator_(executor_, !options.has_feedback && !std::is_same_v<Element, Real> ? size : 0),
        residual_(executor_, options.has_feedback ? 2 * side_distance() : 0),
        indices_(executor_, capacity()),
        values_(executor_, capacity()),
        state_(executor_, 1),
        counts_(executor_, 1),
        step_(executor_, 1),
        scratch_(executor_, weir::sparsify_scratch_bytes<Real>(executor_, size, options.density)) {
    apply_scalars(executor_, weir::InitialiseThreshold{state_.data(), options.density});
    set_zero(executor_, residual_.view());
  }

  StepReport step(Gradient const& gradient, std::uint64_t number) override {
    given_ = gradient.as<Element>();
    from_host(executor_, std::span<Element const>(given_, size_), gradient_.view());
    from_host(executor_, std::span<std::uint64_t const>(&number, 1), step_.view());
    weir::WeightedTerm<Element, weir::DeviceSpace> const term{gradient_.view(), 1.0};
    Work work;
    work.terms = {&term, 1};
    work.accumulator = accumulator_.view();
    if (options_.has_feedback) {
      work.residual = {residual_.data(), residual_.data() + side_distance(), size_, &state_.data()->side};
    }
    work.constants = options_.constants;
    work.state = state_.data();
    work.out = {counts_.data(), indices_.view(), values_.view()};
    work.scratch = scratch_.view();
    work.step = step_.data();

    begin_.record(executor_);
    Policies::with(options_.estimator,
                   [&](auto const& policy) { weir::sparsify(executor_, std::as_const(work), policy); });
    end_.record(executor_);

    StepReport report;
    weir::ThresholdState const state = to_host(executor_, state_.view())[0];
    weir::SelectionCounts const counts = to_host(executor_, counts_.view())[0];
    report.statistics = state.last;
    report.k_target = weir::slots_of(options_.density, size_);
    report.is_collapsed = state.collapsed != 0;
    side_ = state.side & 1u;
    is_sent_ = state.last.status == weir::SparsifyStatus::selected;
    // A step that is skipped sends nothing, though random-k has then slots of zeros for the other ranks.
    selected_ = is_sent_ ? static_cast<std::size_t>(counts.count) : 0;
    report.cost = cost();
    host_indices_ = to_host(executor_, indices_.view().part(0, selected_));
    host_values_ = to_host(executor_, values_.view().part(0, selected_));
    return report;
  }

  ArrayBytes indices() const override { return bytes(host_indices_.data(), selected_, "<i4"); }
  ArrayBytes values() const override { return bytes(host_values_.data(), selected_, real_descr); }

  ArrayBytes residual() override {
    if (options_.has_feedback) {
      host_residual_ = to_host(executor_, residual_.view().part(side_ * side_distance(), size_));
      return bytes(host_residual_.data(), size_, real_descr);
    }
    left_ = left_out<Real>(given_, size_, is_sent_, host_indices_.data(), selected_);
    return bytes(left_.data(), size_, real_descr);
  }

  double seconds_to_add_up(std::size_t ranks) override {
    Memory<Real> const sum(executor_, size_);
    begin_.record(executor_);
    set_zero(executor_, sum.view());
    for (std::size_t rank = 0; rank < ranks; ++rank)
      scatter_add(executor_, indices_.view(), values_.view(), &counts_.data()->count, sum.view());
    end_.record(executor_);
    executor_.synchronize();
    return end_.seconds_since(begin_);
  }

 private:
  template <class T>
  using Memory = weir::Buffer<T, weir::CudaExecutor>;

  /// An event that measures time.
  class Mark {
   public:
    Mark() { weir::check_cuda(cudaEventCreate(&event_), "cudaEventCreate"); }
    Mark(Mark const&) = delete;
    ~Mark() { cudaEventDestroy(event_); }

    void record(weir::CudaExecutor const& executor) {
      weir::check_cuda(cudaEventRecord(event_, executor.stream()), "cudaEventRecord");
    }
    /// Both have passed.
    double seconds_since(Mark const& before) const {
      float milliseconds = 0;
      weir::check_cuda(cudaEventElapsedTime(&milliseconds, before.event_, event_), "cudaEventElapsedTime");
      return static_cast<double>(milliseconds) / 1000.0;
    }

   private:
    cudaEvent_t event_ = nullptr;
  };

  static constexpr char const* real_descr = sizeof(Real) == 4 ? "<f4" : "<f8";

  template <class Number>
  static ArrayBytes bytes(Number const* data, std::size_t size, char const* descr) {
    return {descr, size, std::as_bytes(std::span<Number const>(data, size))};
  }

  std::size_t capacity() const { return options_.capacity < size_ ? options_.capacity : size_; }

  /// Both sides begin at a multiple of 16 bytes.
  std::size_t side_distance() const {
    constexpr std::size_t pack = 16 / sizeof(Real);
    return (size_ + pack - 1) / pack * pack;
  }

  Cost cost() const {
    bool const makes_accumulator = options_.has_feedback || !std::is_same_v<Element, Real>;
    Cost cost;
    cost.seconds_select = end_.seconds_since(begin_);
    cost.bytes_read = size_ * (sizeof(Element) + (options_.has_feedback ? sizeof(Real) : 0));
    cost.bytes_written = (makes_accumulator ? size_ * sizeof(Real) : 0) +
                         selected_ * (sizeof(std::uint32_t) + sizeof(Real)) +
                         (options_.has_feedback ? selected_ * sizeof(Real) : 0);
    return cost;
  }

  Options const& options_;
  std::size_t size_;
  Element const* given_ = nullptr;
  std::uint32_t side_ = 0;
  bool is_sent_ = false;
  std::size_t selected_ = 0;
  std::vector<std::uint32_t> host_indices_;
  std::vector<Real> host_values_;
  std::vector<Real> host_residual_;
  AlignedArray<Real> left_;  // without feedback: what the last step has left out

  weir::CudaExecutor executor_;
  Mark begin_;
  Mark end_;
  Memory<Element> gradient_;
  Memory<Real> accumulator_;
  Memory<Real> residual_;  // both sides, one after the other
  Memory<std::uint32_t> indices_;
  Memory<Real> values_;
  Memory<weir::ThresholdState> state_;
  Memory<weir::SelectionCounts> counts_;
  Memory<std::uint64_t> step_;
  Memory<std::byte> scratch_;
};

}  // namespace weir_sparsify
