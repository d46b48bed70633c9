#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/sent_value.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {
namespace detail {

/// Calls `f(i)` for i in 0..count-1, shared by the team, for slots that are far apart in memory: `fetch(i)`
/// is called long before, so that as many are on their way as the caches can ask for.
template <class Fetch, class Function>
void for_each_slot(ThreadTeam& team, std::size_t count, Fetch const& fetch, Function const& f) {
  static constexpr std::size_t ahead = 128;
  static constexpr std::size_t length = 4096;
  team.run((count + length - 1) / length, [&](std::size_t part) {
    std::size_t const end = smaller(count, (part + 1) * length);
    std::size_t fetched = part * length;
    for (std::size_t const first = smaller(end, fetched + ahead); fetched < first; ++fetched) fetch(fetched);
    std::size_t i = part * length;
    for (; fetched < end; ++i, ++fetched) {
      fetch(fetched);
      f(i);
    }
    for (; i < end; ++i) f(i);
  });
}

/// `out[indices[i]] += values[i]`; the indices are distinct.
template <class Index, class Real>
void scatter_add(ThreadTeam& team, Index const* indices, Real const* values, std::size_t count, Real* out) {
  for_each_slot(
      team, count, [=](std::size_t i) { __builtin_prefetch(out + indices[i], 1); },
      [=](std::size_t i) { out[static_cast<std::size_t>(indices[i])] += values[i]; });
}

/// The same for the values that are finite.
template <class Index, class Real>
void scatter_add_finite(ThreadTeam& team, Index const* indices, Real const* values, std::size_t count,
                        Real* out) {
  for_each_slot(
      team, count, [=](std::size_t i) { __builtin_prefetch(out + indices[i], 1); },
      [=](std::size_t i) {
        if (MagnitudeKey<Real>::of(values[i]) < MagnitudeKey<Real>::infinity)
          out[static_cast<std::size_t>(indices[i])] += values[i];
      });
}

/// `values[i] = in[indices[i]]`.
template <class Index, class Real>
void gather(ThreadTeam& team, Real const* in, Index const* indices, std::size_t count, Real* values) {
  for_each_slot(
      team, count, [=](std::size_t i) { __builtin_prefetch(in + indices[i]); },
      [=](std::size_t i) { values[i] = in[static_cast<std::size_t>(indices[i])]; });
}

/// `out[indices[i]] = 0`.
template <class Index, class Real>
void zero_at(ThreadTeam& team, Index const* indices, std::size_t count, Real* out) {
  for_each_slot(
      team, count, [=](std::size_t i) { __builtin_prefetch(out + indices[i], 1); },
      [=](std::size_t i) { out[static_cast<std::size_t>(indices[i])] = Real{0}; });
}

/// Rounds the values of distinct slots for sending, leaves in `residual` what rounding took from them, or, of
/// a memory of differences, adds what is sent, and clears `momentum` there. Either may be null.
template <class Index, class Real>
void commit_sent(ThreadTeam& team, Index const* indices, Real* values, std::size_t count,
                 SparsifyConstants const& constants, Real* residual, Real* momentum) {
  bool const keeps_differences = constants.feedback == FeedbackKind::differences;
  if (residual == nullptr && momentum == nullptr && !constants.rounds_values) return;
  for_each_slot(
      team, count,
      [=](std::size_t i) {
        if (residual != nullptr) __builtin_prefetch(residual + indices[i], 1);
        if (momentum != nullptr) __builtin_prefetch(momentum + indices[i], 1);
      },
      [=](std::size_t i) {
        std::size_t const slot = static_cast<std::size_t>(indices[i]);
        Real const sent = sent_value(values[i], constants);
        if (residual != nullptr)
          residual[slot] = keeps_differences ? residual[slot] + sent : kept_value(values[i], sent);
        if (momentum != nullptr) momentum[slot] = 0;
        values[i] = sent;
      });
}

/// +0 instead of what is not finite. Cost: a pass over memory.
template <class Real>
void clear_non_finite(ThreadTeam& team, Real* values, std::size_t size) {
  share(team, size, sizeof(Real), [=](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (MagnitudeKey<Real>::of(values[i]) >= MagnitudeKey<Real>::infinity) values[i] = 0;
    }
  });
}

}  // namespace detail
}  // namespace weir::inline v1
