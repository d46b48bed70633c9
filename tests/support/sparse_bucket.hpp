#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "weir/exec/sparsify_work.hpp"
#include "weir/host/executor.hpp"

namespace weir_test {

struct SparseBucketOptions {
  double density = 0.01;
  bool feedback = false;
  bool momentum = false;
  std::size_t capacity = static_cast<std::size_t>(-1);  // as many as there are elements
  weir::SparsifyConstants constants = {};
};

/// One bucket on the host: what a stage would keep for it, and one call for a step.
template <class Real, class Element = Real, class Index = std::uint32_t>
class SparseBucket {
 public:
  SparseBucket(weir::HostExecutor executor, std::size_t size, SparseBucketOptions const& options)
      : executor_(executor), options_(options), size_(size) {
    weir::InitialiseThreshold{&state, options.density}();
    std::size_t const capacity = options.capacity < size ? options.capacity : size;
    indices_.resize(capacity);
    values_.resize(capacity);
    scratch_.resize(weir::sparsify_scratch_bytes<Real>(executor, size, options.density));
    accumulator_.resize(size);
    for (auto& side : residual_) side.resize(options.feedback ? size : 0);
    for (auto& side : momentum_) side.resize(options.momentum ? size : 0);
  }
  SparseBucket(SparseBucket const&) = delete;

  template <class Policy>
  void step(std::vector<Element> const& gradient, Policy const& policy, weir::GradientScale scale = {}) {
    weir::WeightedTerm<Element, weir::HostSpace> const term{weir::view(gradient), 1.0};
    step(std::span(&term, 1), policy, scale);
  }

  template <class Policy>
  void step(std::span<weir::WeightedTerm<Element, weir::HostSpace> const> terms, Policy const& policy,
            weir::GradientScale scale = {}) {
    auto const work = describe(terms, scale);
    weir::sparsify(executor_, work, policy);
    executor_.synchronize();
  }

  using Work = weir::SparsifyWork<Element, Real, weir::HostSpace, Index>;

  Work describe(std::span<weir::WeightedTerm<Element, weir::HostSpace> const> terms,
                weir::GradientScale scale = {}) {
    Work work;
    work.terms = terms;
    work.scale = scale;
    work.accumulator = weir::view(accumulator_);
    if (options_.feedback) work.residual = two_sided(residual_);
    if (options_.momentum) work.momentum = two_sided(momentum_);
    work.constants = options_.constants;
    work.state = &state;
    work.out = {&counts, weir::view(indices_), weir::view(values_)};
    work.scratch = weir::view(scratch_);
    return work;
  }

  weir::SparsifyStatistics const& last() const { return state.last; }
  std::vector<Index> indices() const { return {indices_.begin(), indices_.begin() + count()}; }
  std::vector<Real> values() const { return {values_.begin(), values_.begin() + count()}; }
  std::vector<Real>& residual() { return residual_[state.side & 1u]; }
  std::vector<Real>& momentum() { return momentum_[state.side & 1u]; }
  std::vector<Real>& accumulator() { return accumulator_; }

  weir::TwoSidedView<Real, weir::HostSpace> two_sided(std::vector<Real> (&sides)[2]) {
    return {sides[0].data(), sides[1].data(), size_, &state.side};
  }
  weir::TwoSidedView<Real, weir::HostSpace> residual_view() { return two_sided(residual_); }

  weir::ThresholdState state;
  weir::SelectionCounts counts;

 private:
  std::ptrdiff_t count() const { return static_cast<std::ptrdiff_t>(counts.count); }

  weir::HostExecutor executor_;
  SparseBucketOptions options_;
  std::size_t size_;
  std::vector<Index> indices_;
  std::vector<Real> values_;
  std::vector<std::byte> scratch_;
  std::vector<Real> accumulator_;
  std::vector<Real> residual_[2];
  std::vector<Real> momentum_[2];
};

/// Draws of well-known distributions of magnitudes, with random signs.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}

  template <class Magnitude>
  std::vector<float> with_signs(std::size_t size, Magnitude&& magnitude) {
    std::vector<float> values(size);
    for (float& value : values) {
      double const x = magnitude(engine_);
      value = static_cast<float>((engine_() & 1u) != 0 ? x : -x);
    }
    return values;
  }

  std::vector<float> laplace(std::size_t size) {
    return with_signs(size, [this](auto&) { return -std::log(uniform()); });
  }
  std::vector<float> half_normal(std::size_t size) {
    std::normal_distribution<double> normal;
    return with_signs(size, [&](auto& engine) { return std::fabs(normal(engine)); });
  }
  std::vector<float> gamma(std::size_t size, double shape) {
    std::gamma_distribution<double> gamma(shape);
    return with_signs(size, [&](auto& engine) { return gamma(engine); });
  }
  std::vector<float> pareto(std::size_t size, double shape) {
    return with_signs(size, [&](auto&) { return (std::pow(uniform(), -shape) - 1.0) / shape; });
  }
  std::vector<float> lognormal(std::size_t size, double deviation) {
    std::normal_distribution<double> normal(0.0, deviation);
    return with_signs(size, [&](auto& engine) { return std::exp(normal(engine)); });
  }
  std::vector<float> uniform(std::size_t size) {
    return with_signs(size, [this](auto&) { return uniform(); });
  }
  std::vector<float> student(std::size_t size, double freedom) {
    std::student_t_distribution<double> student(freedom);
    return with_signs(size, [&](auto& engine) { return std::fabs(student(engine)); });
  }
  /// Laplace in 50 runs of different scale, from 1e-3 to 1.
  std::vector<float> mixture(std::size_t size) {
    std::size_t i = 0;
    return with_signs(size, [&](auto&) {
      double const part = static_cast<double>(i++ * 50 / size) / 49.0;
      return -std::log(uniform()) * std::pow(10.0, -3.0 * part);
    });
  }
  std::vector<float> quantised(std::size_t size, int levels) {
    return with_signs(size, [&](auto& engine) {
      return static_cast<double>(engine() % static_cast<unsigned>(levels)) / levels;
    });
  }

  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace weir_test
