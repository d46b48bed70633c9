#pragma once

#include <cstddef>
#include <vector>

#include "support/cuda/stand_in.hpp"
#include "weir/exec/clip_step.hpp"
#include "weir/exec/count_non_finite.hpp"
#include "weir/exec/local_clip_step.hpp"
#include "weir/exec/loss_scale_step.hpp"
#include "weir/exec/mark_used.hpp"
#include "weir/exec/merge_tails.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/exec/shared_rank_steps.hpp"
#include "weir/exec/step_clock.hpp"
#include "weir/exec/take_part.hpp"
#include "weir/exec/threshold_state.hpp"

// What the steps of exec/ read and write. For another step give `accesses_of` in its own namespace.

namespace stand_in {

inline std::vector<Access> accesses_of(weir::InitialiseOptimizer const& step) {
  return {writes(step.state)};
}
inline std::vector<Access> accesses_of(weir::SetLearningRate const& step) {
  return {reads(step.state), writes(step.state)};
}
inline std::vector<Access> accesses_of(weir::AdvanceOptimizer const& step) {
  std::vector<Access> all{reads(step.state), writes(step.state)};
  if (step.control != nullptr) all.push_back(reads(step.control));
  return all;
}
inline std::vector<Access> accesses_of(weir::SetStepClock const& step) {
  return {writes(&step.clock->next)};
}
inline std::vector<Access> accesses_of(weir::AdvanceStepClock const& step) {
  return {reads(&step.clock->next), writes(step.clock)};
}
inline std::vector<Access> accesses_of(weir::ClipStep const& step) {
  std::vector<Access> all{reads(step.measurements, step.count), writes(step.control), writes(step.norm)};
  if (step.scale.control != nullptr) all.push_back(reads(step.scale.control));
  return all;
}
inline std::vector<Access> accesses_of(weir::LossScaleStep const& step) {
  std::vector<Access> all{reads(step.measurements, step.count), reads(step.state), writes(step.state),
                          writes(step.control)};
  if (step.before != nullptr) all.push_back(reads(step.before));
  return all;
}
inline std::vector<Access> accesses_of(weir::InitialiseLossScale const& step) {
  return {writes(step.state)};
}
inline std::vector<Access> accesses_of(weir::CountNonFinite const& step) {
  return {reads(step.measurement), reads(step.seen), writes(step.seen)};
}
inline std::vector<Access> accesses_of(weir::MarkUsed const& step) {
  return {writes(step.words, step.count)};
}

inline std::vector<Access> accesses_of(weir::InitialiseThreshold const& step) {
  return {writes(step.state)};
}
inline std::vector<Access> accesses_of(weir::SetDensity const& step) {
  return {reads(step.state), writes(step.state)};
}
inline std::vector<Access> accesses_of(weir::MergeTails const& step) {
  return {reads(step.tails, step.count), writes(step.out)};
}
template <class Policy, class Real>
std::vector<Access> accesses_of(weir::StartSharedRank<Policy, Real> const& step) {
  return {reads(step.state), reads(step.all), reads(step.own), writes(step.search)};
}
template <class Real>
std::vector<Access> accesses_of(weir::ResumeSharedRank<Real> const& step) {
  constexpr std::size_t counters = weir::SharedRankSearch<Real>::counters;
  return {reads(step.sums, counters), reads(step.own, counters), reads(step.search), writes(step.search)};
}
template <class Real>
std::vector<Access> accesses_of(weir::DivideTies<Real> const& step) {
  return {reads(step.ties, step.rank + 1), reads(step.search), writes(step.search)};
}
inline std::vector<Access> accesses_of(weir::LocalNormStep const& step) {
  std::vector<Access> all{reads(step.measurements, step.count), writes(step.sum)};
  if (step.scale.control != nullptr) all.push_back(reads(step.scale.control));
  return all;
}
inline std::vector<Access> accesses_of(weir::LocalClipStep const& step) {
  std::vector<Access> all{reads(step.sum), writes(step.control), writes(step.norm)};
  if (step.before != nullptr) all.push_back(reads(step.before));
  return all;
}
inline Access access_of(weir::RankPart const& part) {
  return part.status != nullptr ? reads(part.status) : reads(part.selected);
}
inline std::vector<Access> accesses_of(weir::TakePart const& step) {
  return {access_of(step.part), reads(step.chosen), writes(step.sent)};
}
inline std::vector<Access> accesses_of(weir::TellPart const& step) {
  return {access_of(step.part), writes(step.conditions, 2)};
}

}  // namespace stand_in
