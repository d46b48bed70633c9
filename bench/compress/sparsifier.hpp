#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/host/executor.hpp"

/// As many as the policy wanted to send over as many as it should, whatever there was room for.
inline double quality_of(weir::SparsifyStatistics const& last) {
  return static_cast<double>(last.k_selected + last.overflow) / static_cast<double>(last.k_target);
}

/// All that the verb needs to sparsify one bucket again and again. There is room for `capacity` slots.
template <class Policy>
class Sparsifier {
 public:
  using Term = weir::WeightedTerm<float const, weir::HostSpace>;
  using Work = weir::SparsifyWork<float const, float, weir::HostSpace>;

  Sparsifier(weir::HostExecutor const& executor, std::span<float const> gradient, double density,
             bool keeps_residual = false)
      : Sparsifier(executor, gradient, density, keeps_residual,
                   2 * static_cast<std::size_t>(weir::slots_of(density, gradient.size()))) {}

  Sparsifier(weir::HostExecutor const& executor, std::span<float const> gradient, double density,
             bool keeps_residual, std::size_t capacity)
      : executor_(executor),
        term_{weir::view(gradient.data(), gradient.size()), 1.0},
        scratch_(sparsify_scratch_bytes<float>(executor, gradient.size(), density)),
        indices_(capacity),
        values_(capacity) {
    state_.density = density;
    work_.terms = std::span<Term const>(&term_, 1);
    work_.state = &state_;
    work_.out = {&counts_, weir::view(indices_), weir::view(values_)};
    work_.scratch = weir::view(scratch_);
    if (keeps_residual) {
      for (auto& side : sides_) side.resize(gradient.size() + 16);
      work_.residual = {aligned(sides_[0]), aligned(sides_[1]), gradient.size(), &state_.side};
    }
  }
  Sparsifier(Sparsifier const&) = delete;

  void run() {
    sparsify(executor_, work_, Policy{});
    executor_.synchronize();
  }

  /// The gradient of the next run, as long as the first.
  void take(std::span<float const> gradient) { term_.values = weir::view(gradient.data(), gradient.size()); }

  Work& work() { return work_; }
  weir::ThresholdState& state() { return state_; }
  weir::SelectionCounts const& counts() const { return counts_; }
  std::vector<std::uint32_t> const& indices() const { return indices_; }
  std::vector<float> const& values() const { return values_; }

 private:
  static float* aligned(std::vector<float>& memory) {
    std::size_t const misaligned = reinterpret_cast<std::uintptr_t>(memory.data()) % 64;
    return memory.data() + (64 - misaligned) % 64 / sizeof(float);
  }

  weir::HostExecutor executor_;
  Term term_;
  std::vector<std::byte> scratch_;
  std::vector<std::uint32_t> indices_;
  std::vector<float> values_;
  std::vector<float> sides_[2];
  weir::SelectionCounts counts_;
  weir::ThresholdState state_;
  Work work_;
};
