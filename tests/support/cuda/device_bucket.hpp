#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/sparse_bucket.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/tensor/buffer.hpp"

/// A `SparseBucket` in device memory. With `offset` no vector lies at a multiple of 16 bytes.
template <class Real, class Element = Real>
class DeviceBucket {
  using Space = weir::DeviceSpace;
  template <class T>
  using Memory = weir::Buffer<T, weir::CudaExecutor>;

 public:
  DeviceBucket(weir::CudaExecutor const& executor, std::size_t size,
               weir_test::SparseBucketOptions const& options, std::size_t offset = 0)
      : executor_(executor),
        options_(options),
        size_(size),
        offset_(offset),
        capacity_(options.capacity < size ? options.capacity : size),
        gradient_(executor, size + offset),
        accumulator_(executor, size + offset),
        residual_(executor, 2 * (size + offset)),
        momentum_(executor, 2 * (size + offset)),
        indices_(executor, capacity_),
        values_(executor, capacity_),
        state_(executor, 1),
        counts_(executor, 1),
        scratch_(executor, weir::sparsify_scratch_bytes<Real>(executor, size, options.density)) {
    apply_scalars(executor, weir::InitialiseThreshold{state_.data(), options.density});
    set_zero(executor, residual_.view());
    set_zero(executor, momentum_.view());
  }

  void set_gradient(std::vector<Element> const& gradient) {
    weir::from_host(executor_, std::span<Element const>(gradient), gradient_.view().part(offset_, size_));
    term_ = {gradient_.view().part(offset_, size_), 1.0};
  }

  weir::SparsifyWork<Element, Real, Space> describe() const {
    weir::SparsifyWork<Element, Real, Space> work;
    work.terms = std::span(&term_, 1);
    work.accumulator = accumulator_.view().part(offset_, size_);
    if (options_.feedback) work.residual = sides(residual_);
    if (options_.momentum) work.momentum = sides(momentum_);
    work.constants = options_.constants;
    work.state = state_.data();
    work.out = {counts_.data(), indices_.view(), values_.view()};
    work.scratch = scratch_.view();
    return work;
  }

  weir::TwoSidedView<Real, Space> sides(Memory<Real> const& memory) const {
    return {memory.data() + offset_, memory.data() + size_ + 2 * offset_, size_, &state_.data()->side};
  }
  weir::TwoSidedView<Real, Space> residual_sides() const { return sides(residual_); }

  weir::ThresholdState state() const { return weir::to_host(executor_, state_.view())[0]; }
  weir::SelectionCounts counts() const { return weir::to_host(executor_, counts_.view())[0]; }
  std::vector<std::uint32_t> indices() const { return first(weir::to_host(executor_, indices_.view())); }
  std::vector<Real> values() const { return first(weir::to_host(executor_, values_.view())); }
  std::vector<Real> residual() const { return valid(residual_); }
  std::vector<Real> momentum() const { return valid(momentum_); }

 private:
  template <class T>
  std::vector<T> first(std::vector<T> all) const {
    all.resize(counts().count);
    return all;
  }
  std::vector<Real> valid(Memory<Real> const& memory) const {
    std::size_t const begin = (state().side & 1u) == 0 ? offset_ : size_ + 2 * offset_;
    return weir::to_host(executor_, memory.view().part(begin, size_));
  }

  weir::CudaExecutor executor_;
  weir_test::SparseBucketOptions options_;
  std::size_t size_;
  std::size_t offset_;
  std::size_t capacity_;
  Memory<Element> gradient_;
  Memory<Real> accumulator_;
  Memory<Real> residual_;
  Memory<Real> momentum_;
  Memory<std::uint32_t> indices_;
  Memory<Real> values_;
  Memory<weir::ThresholdState> state_;
  Memory<weir::SelectionCounts> counts_;
  Memory<std::byte> scratch_;
  weir::WeightedTerm<Element, Space> term_ = {};
};
