#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "weir/exec/arguments.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {
namespace detail {

/// Of `SparsifyWork::scratch`. Units: bytes.
inline constexpr std::size_t scratch_alignment = 16;

/// What `sparsify` of any backend checks.
template <class Policy, class Element, class Real, class Space, class Index>
void check_sparsify(SparsifyWork<Element, Real, Space, Index> const& work, std::size_t scratch_bytes) {
  Arguments const arguments("sparsify");
  arguments.not_null("state", work.state);
  arguments.not_null("out.counts", work.out.counts);
  if (work.terms.empty()) arguments.refuse("there are no terms, at least one is needed");
  std::size_t const size = work.terms[0].values.size();
  for (auto const& term : work.terms)
    arguments.same_size("a term", term.values.size(), "the first term", size);
  arguments.same_size("out.values", work.out.values.size(), "out.indices", work.out.indices.size());
  if (size != 0 && size - 1 > static_cast<Index>(-1) / 2) {
    arguments.refuse("a bucket of " + std::to_string(size) +
                     " elements needs 64-bit indices, or smaller buckets");
  }
  SparsifyConstants const& constants = work.constants;
  bool const keeps_differences = constants.feedback == FeedbackKind::differences;
  if (!work.residual.empty()) {
    arguments.same_size("the residual", work.residual.size(), "a term", size);
    if (work.residual.side_word() != &work.state->side) {
      arguments.refuse("the side word of the residual is not that of the state, which moves it");
    }
    if (!keeps_differences && constants.non_finite != NonFinitePolicy::propagate &&
        work.residual.side(0) == work.residual.side(1)) {
      arguments.refuse(
          "a step that is skipped has to be undone: the residual needs two sides, unless what is "
          "not finite is propagated");
    }
  }
  if (!work.momentum.empty()) {
    arguments.same_size("the momentum", work.momentum.size(), "the residual", work.residual.size());
    if (keeps_differences)
      arguments.refuse("momentum correction and a memory of differences exclude each other");
  }
  if (keeps_differences && (work.residual.empty() || work.accumulator.empty()) && size != 0) {
    arguments.refuse("a memory of differences needs a residual and an accumulator");
  }
  if (!work.accumulator.empty())
    arguments.same_size("the accumulator", work.accumulator.size(), "a term", size);
  if (work.residual.empty() && work.accumulator.empty() && size != 0) {
    bool const is_there = std::same_as<std::remove_const_t<Element>, Real> && work.terms.size() == 1 &&
                          work.terms[0].weight == 1.0 && work.scale.value == 1.0 &&
                          work.scale.control == nullptr && constants.gamma == 1.0;
    if (!is_there) {
      arguments.refuse("without a residual, a sum, a scale or a conversion needs an accumulator");
    }
  }
  if (work.scratch.size() < scratch_bytes) {
    arguments.refuse("scratch has " + std::to_string(work.scratch.size()) + " bytes, " +
                     std::to_string(scratch_bytes) + " are needed");
  }
  if (reinterpret_cast<std::uintptr_t>(work.scratch.data()) % scratch_alignment != 0)
    arguments.refuse("scratch begins at no multiple of " + std::to_string(scratch_alignment) + " bytes");
  if (work.part != SparsifyPart::whole) arguments.not_null("tail", work.tail);
  if (work.part == SparsifyPart::count) {
    arguments.not_null("shared_rank", work.shared_rank);
    arguments.not_null("counters", work.counters);
  }
  if (work.shared_rank != nullptr && !RankedThreshold<Policy>) {
    arguments.refuse(std::string(Policy::name) +
                     " does not take the largest by counting, which is what a "
                     "shared_rank is for");
  }
  if (work.shared_tail != nullptr && work.shared_rank == nullptr && !FittedThreshold<Policy>) {
    arguments.refuse(std::string(Policy::name) +
                     " is not fitted to moments: ranks can share them, or the counters of a shared_rank");
  }
  StageConstants const& stages = constants.stages;
  if constexpr (FittedThreshold<Policy> && !StagedThreshold<Policy>) {
    if (stages.count != StageCount::fixed || stages.stages != 1) {
      arguments.refuse(std::string(Policy::name) + " has one stage, more cannot be asked for");
    }
  }
  if (stages.stages < 1) arguments.refuse("0 stages, there has to be at least 1");
  auto const is_part = [](double x) { return x > 0.0 && x < 1.0; };
  if (!is_part(stages.first_ratio) || !is_part(stages.ratio)) {
    arguments.refuse("the ratios of stages have to lie between 0 and 1");
  }
  bool const is_short =
      constants.precision == ElementType::float16 || constants.precision == ElementType::bfloat16;
  if (constants.rounds_values && !is_short) {
    arguments.refuse(std::string("values cannot be rounded to ") + name_of(constants.precision) +
                     ", only to float16 and bfloat16");
  }
}

}  // namespace detail
}  // namespace weir::inline v1
