#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "aligned_array.hpp"
#include "bucket.hpp"
#include "estimator.hpp"
#include "left_out.hpp"
#include "metered_passes.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/host/executor.hpp"

namespace weir_sparsify {

/// A bucket of gradients of this type on the host.
template <class Element, class Index>
class TypedBucket final : public Bucket {
 public:
  using Real = std::conditional_t<std::is_same_v<Element, double>, double, float>;
  using Work = weir::SparsifyWork<Element const, Real, weir::HostSpace, Index>;

  TypedBucket(weir::ThreadTeam& team, Options const& options, std::size_t size)
      : team_(team),
        options_(options),
        size_(size),
        scratch_(weir::detail::CandidatePool<Real>::bytes(size, team.size())) {
    weir::InitialiseThreshold{&state_, options.density}();
    std::size_t const capacity = options.capacity < size ? options.capacity : size;
    indices_ = AlignedArray<Index>(capacity);
    values_ = AlignedArray<Real>(capacity);
    if (options.has_feedback) {
      for (auto& side : sides_) side = AlignedArray<Real>::zeros(size);
    } else if (!std::is_same_v<Element, Real>) {
      accumulator_ = AlignedArray<Real>(size);
    }
  }

  StepReport step(Gradient const& gradient, std::uint64_t number) override {
    gradient_ = gradient.as<Element>();
    weir::WeightedTerm<Element const, weir::HostSpace> const term{{gradient_, size_}, 1.0};
    Work work;
    work.terms = {&term, 1};
    work.accumulator = accumulator_.view();
    if (options_.has_feedback) work.residual = {sides_[0].data(), sides_[1].data(), size_, &state_.side};
    work.constants = options_.constants;
    work.state = &state_;
    work.out = {&counts_, indices_.view(), values_.view()};
    work.scratch = scratch_.view();
    work.step = &number;

    StepReport report;
    MeteredPasses<Element const, Real, Index> passes(team_, work, weir::detail::selection_key(work));
    with_policy(options_.estimator,
                [&](auto const& policy) { weir::detail::sparsify_with(passes, work, policy); });
    report.statistics = state_.last;
    report.k_target = weir::slots_of(options_.density, size_);
    report.is_collapsed = state_.collapsed != 0;
    report.cost = passes.cost();
    // A step that is skipped sends nothing, though random-k has then slots of zeros for the other ranks.
    selected_ = is_sent() ? static_cast<std::size_t>(counts_.count) : 0;
    return report;
  }

  ArrayBytes indices() const override {
    return bytes(indices_, selected_, sizeof(Index) == 4 ? "<i4" : "<i8");
  }
  ArrayBytes values() const override { return bytes(values_, selected_, real_descr); }

  ArrayBytes residual() override {
    if (options_.has_feedback) return bytes(sides_[state_.side & 1u], size_, real_descr);
    left_ = left_out<Real>(gradient_, size_, is_sent(), indices_.data(), selected_);
    return bytes(left_, size_, real_descr);
  }

  double seconds_to_add_up(std::size_t ranks) override {
    AlignedArray<Real> const sum = AlignedArray<Real>::zeros(size_);
    auto const begin = std::chrono::steady_clock::now();
    if constexpr (sizeof(Index) == sizeof(std::uint32_t)) {
      using List = weir::detail::PairList<Real>;
      std::vector<List> const lists(ranks, List{indices_.data(), values_.data(), selected_});
      weir::detail::sum_lists(OnTeam{team_}, lists, sum.view());
    } else {
      for (std::size_t rank = 0; rank < ranks; ++rank)
        for (std::size_t i = 0; i < selected_; ++i) sum.data()[indices_.data()[i]] += values_.data()[i];
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

 private:
  struct OnTeam {
    weir::ThreadTeam& threads;
    weir::ThreadTeam& team() const { return threads; }
  };

  static constexpr char const* real_descr = sizeof(Real) == 4 ? "<f4" : "<f8";

  bool is_sent() const { return state_.last.status == weir::SparsifyStatus::selected; }

  template <class Number>
  static ArrayBytes bytes(AlignedArray<Number> const& array, std::size_t size, char const* descr) {
    return {descr, size, std::as_bytes(std::span<Number const>(array.data(), size))};
  }

  weir::ThreadTeam& team_;
  Options const& options_;
  std::size_t size_;
  Element const* gradient_ = nullptr;
  weir::ThresholdState state_;
  weir::SelectionCounts counts_;
  std::size_t selected_ = 0;
  AlignedArray<std::byte> scratch_;
  AlignedArray<Index> indices_;
  AlignedArray<Real> values_;
  AlignedArray<Real> accumulator_;
  AlignedArray<Real> sides_[2];
  AlignedArray<Real> left_;  // without feedback: what the last step has left out
};

template <class Element>
std::unique_ptr<Bucket> make_typed_bucket(weir::ThreadTeam& team, Options const& options, std::size_t size) {
  constexpr std::size_t least_wide = std::size_t{1} << 31;
  if (size < least_wide) return std::make_unique<TypedBucket<Element, std::uint32_t>>(team, options, size);
  return std::make_unique<TypedBucket<Element, std::uint64_t>>(team, options, size);
}

}  // namespace weir_sparsify
