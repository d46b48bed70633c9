#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/arguments.hpp"
#include "weir/exec/arithmetic_element.hpp"
#include "weir/exec/sparsify_arguments.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/exec/threshold_search.hpp"
#include "weir/exec/two_sided_view.hpp"
#include "weir/host/executor.hpp"

// After the executor, which includes this file at its end.
#include "weir/host/kernels/sparsify_passes.hpp"

// The verbs of sparsification on the host. What is said in host/vocabulary.hpp holds for them, too. Counts
// are read when the work runs, and no more than the views hold is touched.

namespace weir::inline v1 {

template <class Element>
using HostTwoSidedView = TwoSidedView<Element, HostSpace>;

namespace detail {

/// Does what the search asks for until it is at its end.
template <class Policy, class Passes, class Real>
void run_search(Policy const& policy, Passes& passes, ThresholdSearch<Policy, Real>& search, Real largest) {
  for (;;) {
    switch (search.task) {
      case SearchTask::excess:
        search.resume_excess(policy, passes.excess(search.base, search.scale));
        break;
      case SearchTask::moments:
        search.resume_moments(policy, passes.template moments<needs_logarithms<Policy>>());
        break;
      case SearchTask::count:
        search.resume_count(policy, passes.count(search.threshold));
        break;
      case SearchTask::rank:
        search.resume_rank(passes.rank(search.query, largest));
        break;
      case SearchTask::sample:
        search.resume_sample(policy, passes.sample(search.sample));
        break;
      case SearchTask::select:
        search.resume_select(policy, passes.select(search.cut));
        break;
      case SearchTask::draw:
        passes.draw(search.drawn, search.drawn_factor);
        search.resume_draw();
        break;
      case SearchTask::finish:
        return;
    }
  }
}

/// What a work needs of the first pass for this policy.
template <class Policy, class Passes, class Work>
TailStatistics first_pass(Passes& passes, Work const& work, ThresholdState const& state, bool& has_moments) {
  using Real = std::remove_pointer_t<decltype(work.out.values.data())>;
  has_moments = true;
  if constexpr (RankedThreshold<Policy>) {
    if (work.part == SparsifyPart::accumulate) return passes.template accumulate<false, false>();
  }
  if (work.tail != nullptr) return passes.template accumulate<true, true>();
  if constexpr (RandomSlots<Policy> || DefersSelection<Policy> || SelectsEverything<Policy>) {
    return passes.template accumulate<false, false>();
  } else if (state.can_reuse(passes.size(), work.constants.reuse)) {
    has_moments = false;
    return passes.accumulate_above(ThresholdSearch<Policy, Real>::rounded(state.reused_threshold));
  } else if constexpr (RankedThreshold<Policy>) {
    has_moments = false;
    return passes.accumulate_ranked(slots_of(state.density, passes.size()));
  } else {
    return passes.template accumulate<true, needs_logarithms<Policy>>();
  }
}

/// A sparsification out of the passes over its data.
template <class Passes, class Work, class Policy>
void sparsify_with(Passes& passes, Work const& work, Policy const& policy) {
  using Real = std::remove_pointer_t<decltype(work.out.values.data())>;
  ThresholdState& state = *work.state;
  bool const is_void = work.scale.skip();
  if (work.part == SparsifyPart::count) {
    bool const counts = takes_part(work.constants.non_finite, *work.tail);
    if (counts && !work.shared_rank->is_done()) passes.count_shared(*work.shared_rank, work.counters);
    return;
  }
  bool has_moments = true;
  TailStatistics tail;
  if (work.part == SparsifyPart::select) {
    tail = *work.tail;
    passes.take(tail);
  } else {
    tail = is_void ? TailStatistics::of_skipped() : first_pass<Policy>(passes, work, state, has_moments);
  }
  if (work.tail != nullptr) *work.tail = tail;
  if (work.part == SparsifyPart::accumulate) return;

  bool const is_shared = work.shared_tail != nullptr;
  ThresholdSearch<Policy, Real> search;
  search.start(policy, work.constants, state, passes.size(), work.out.capacity(), tail,
               is_shared ? work.shared_tail->tail : tail, is_shared ? work.shared_tail->ranks : 1, is_void,
               has_moments, work.shared_rank);
  run_search(policy, passes, search, static_cast<Real>(tail.largest));
  *work.out.counts = search.counts();
  if (search.commits()) passes.commit(search.counts().count, tail.non_finite != 0);
  search.finish(work.constants, state);
}

template <class Element, class Real, class Index>
SelectionKey selection_key(SparsifyWork<Element, Real, HostSpace, Index> const& work) {
  return {work.constants.seed, work.constants.bucket, work.step != nullptr ? *work.step : work.state->step};
}

template <class Element, class Real, class Index, class Policy>
void sparsify_now(ThreadTeam& team, SparsifyWork<Element, Real, HostSpace, Index> const& work,
                  Policy const& policy) {
  SparsifyPasses<Element, Real, Index> passes(team, work, selection_key(work));
  sparsify_with(passes, work, policy);
}

/// A policy on its way to the stream. g++ 12 takes one without members for uninitialised when it is copied.
template <class Policy, bool Empty = std::is_empty_v<Policy>&& std::default_initializable<Policy>>
class PolicyCopy {
 public:
  explicit PolicyCopy(Policy const& policy) : policy_(policy) {}
  Policy const& get() const { return policy_; }

 private:
  Policy policy_;
};

template <class Policy>
class PolicyCopy<Policy, true> {
 public:
  explicit PolicyCopy(Policy const&) {}
  Policy get() const { return Policy{}; }
};

/// The first `*count` of at most `size`.
inline std::size_t counted(std::uint64_t const* count, std::size_t size) {
  return *count < size ? static_cast<std::size_t>(*count) : size;
}

template <class Index, class Real>
void check_pairs(char const* verb, HostView<Index> indices, HostView<Real> values,
                 std::uint64_t const* count) {
  Arguments const arguments(verb);
  arguments.same_size("values", values.size(), "indices", indices.size());
  arguments.not_null("count", count);
}

}  // namespace detail

/// How much memory `SparsifyWork::scratch` has to be, for buckets of that size and densities from there on.
/// Units: bytes.
template <std::floating_point Real>
std::size_t sparsify_scratch_bytes(HostExecutor const& executor, std::size_t size, double) {
  return detail::CandidatePool<Real>::bytes(size, executor.team().size());
}

/// Sparsifies a bucket, as `SparsifyWork` and the policy say.
///
/// Streams: `work` itself and its terms live, unchanged, until the work has run.
template <class Element, class Real, class Index, ThresholdPolicy Policy>
requires ExactIn<Element, Real>
void sparsify(HostExecutor const& executor, SparsifyWork<Element, Real, HostSpace, Index> const& work,
              Policy const& policy) {
  std::size_t const size = work.terms.empty() ? 0 : work.terms[0].values.size();
  detail::check_sparsify<Policy>(work, sparsify_scratch_bytes<Real>(executor, size, 1.0));
  executor.submit([&work, policy = detail::PolicyCopy<Policy>(policy)](HostExecutor const& point) {
    detail::sparsify_now(point.team(), work, policy.get());
  });
}

/// `out[indices[i]] += values[i]` for the first `*count` pairs, whose indices are distinct.
template <class Index, class Real>
void scatter_add(HostExecutor const& executor, HostView<Index> indices, HostView<Real> values,
                 std::uint64_t const* count, std::type_identity_t<HostView<std::remove_const_t<Real>>> out) {
  detail::check_pairs("scatter_add", indices, values, count);
  executor.submit([=](HostExecutor const& point) {
    detail::scatter_add(point.team(), indices.data(), values.data(), detail::counted(count, indices.size()),
                        out.data());
  });
}

/// The same into the valid side.
template <class Index, class Real>
void scatter_add(HostExecutor const& executor, HostView<Index> indices, HostView<Real> values,
                 std::uint64_t const* count, HostTwoSidedView<std::remove_const_t<Real>> out) {
  executor.submit([=](HostExecutor const& point) {
    scatter_add(point, indices, values, count,
                HostView<std::remove_const_t<Real>>(out.current(), out.size()));
  });
}

/// The same for the values that are finite.
template <class Index, class Real>
void scatter_add_finite(HostExecutor const& executor, HostView<Index> indices, HostView<Real> values,
                        std::uint64_t const* count, HostTwoSidedView<std::remove_const_t<Real>> out) {
  detail::check_pairs("scatter_add_finite", indices, values, count);
  executor.submit([=](HostExecutor const& point) {
    detail::scatter_add_finite(point.team(), indices.data(), values.data(),
                               detail::counted(count, indices.size()), out.current());
  });
}

/// `values[i] = in[indices[i]]` for the first `*count` indices.
template <class Element, class Index, class Real>
requires std::same_as<std::remove_const_t<Element>, Real>
void gather(HostExecutor const& executor, HostView<Element> in, HostView<Index> indices,
            std::uint64_t const* count, HostView<Real> values) {
  detail::check_pairs("gather", indices, values, count);
  executor.submit([=](HostExecutor const& point) {
    detail::gather(point.team(), static_cast<Real const*>(in.data()), indices.data(),
                   detail::counted(count, indices.size()), values.data());
  });
}

/// `out[indices[i]] = 0` for the first `*count` indices.
template <class Index, class Real>
void zero_at(HostExecutor const& executor, HostView<Index> indices, std::uint64_t const* count,
             HostView<Real> out) {
  detail::Arguments("zero_at").not_null("count", count);
  executor.submit([=](HostExecutor const& point) {
    detail::zero_at(point.team(), indices.data(), detail::counted(count, indices.size()), out.data());
  });
}

/// The same from the valid side, which becomes +0 there.
template <class Index, class Real>
void take_at(HostExecutor const& executor, HostTwoSidedView<Real> from, HostView<Index> indices,
             std::uint64_t const* count, HostView<Real> values) {
  detail::check_pairs("take_at", indices, values, count);
  executor.submit([=](HostExecutor const& point) {
    HostView<Real> const side(from.current(), from.size());
    gather(point, side, indices, count, values);
    zero_at(point, indices, count, side);
  });
}

/// `out` becomes the valid side, which becomes +0.
template <class Real>
void take_all(HostExecutor const& executor, HostTwoSidedView<Real> from,
              std::type_identity_t<HostView<Real>> out) {
  detail::Arguments("take_all").same_size("out", out.size(), "from", from.size());
  executor.submit([=](HostExecutor const& point) {
    HostView<Real> const side(from.current(), from.size());
    copy(point, side, out);
    set_zero(point, side);
  });
}

/// `out` becomes the valid side.
template <class Real>
void copy(HostExecutor const& executor, HostTwoSidedView<Real> in, std::type_identity_t<HostView<Real>> out) {
  detail::Arguments("copy").same_size("out", out.size(), "in", in.size());
  executor.submit(
      [=](HostExecutor const& point) { copy(point, HostView<Real>(in.current(), in.size()), out); });
}

/// The valid side becomes `in`.
template <class Real>
void copy(HostExecutor const& executor, std::type_identity_t<HostView<Real const>> in,
          HostTwoSidedView<Real> out) {
  detail::Arguments("copy").same_size("out", out.size(), "in", in.size());
  executor.submit(
      [=](HostExecutor const& point) { copy(point, in, HostView<Real>(out.current(), out.size())); });
}

/// The valid side becomes 0.
template <class Real>
void set_zero(HostExecutor const& executor, HostTwoSidedView<Real> out) {
  executor.submit(
      [=](HostExecutor const& point) { set_zero(point, HostView<Real>(out.current(), out.size())); });
}

/// The same of the valid side.
template <class Index, class Real>
void zero_at(HostExecutor const& executor, HostView<Index> indices, std::uint64_t const* count,
             HostTwoSidedView<Real> out) {
  executor.submit([=](HostExecutor const& point) {
    zero_at(point, indices, count, HostView<Real>(out.current(), out.size()));
  });
}

}  // namespace weir::inline v1
