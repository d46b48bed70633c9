#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/verbs.hpp"
#include "weir/exec/sparsify_arguments.hpp"
#include "weir/host/sparsify.hpp"

// The verbs of sparsification on the stand-in, in the place of weir/cuda/sparsify.cuh.

namespace stand_in {

template <class Real>
weir::HostTwoSidedView<Real> on_host(weir::DeviceTwoSidedView<Real> view) {
  return {view.side(0), view.side(1), view.size(), view.side_word()};
}

/// Which side is the valid one is not known at the call.
template <class Real>
void add_sides(std::vector<Access>& accesses, weir::DeviceTwoSidedView<Real> view, bool is_written) {
  if (view.empty()) return;
  accesses.push_back(reads(view.side_word()));
  for (unsigned side = 0; side < 2; ++side) {
    accesses.push_back(reads(view.side(side), view.size()));
    if (is_written) accesses.push_back(writes(view.side(side), view.size()));
  }
}

}  // namespace stand_in

namespace weir::inline v1 {

template <class Element, class Real, class Index, ThresholdPolicy Policy>
requires ExactIn<Element, Real>
void sparsify(CudaExecutor const& executor, SparsifyWork<Element, Real, DeviceSpace, Index> const& work,
              Policy const& policy) {
  using stand_in::reads;
  using stand_in::writes;
  stand_in::Inside const inside;
  std::size_t const size = work.terms.empty() ? 0 : work.terms[0].values.size();
  detail::check_sparsify<Policy>(work, sparsify_scratch_bytes<Real>(executor, size, 1.0));
  bool const counts = work.part == SparsifyPart::count;
  bool const selects = work.part != SparsifyPart::accumulate && !counts;
  std::vector<stand_in::Access> accesses{reads(work.state), writes(work.state)};
  if (work.part == SparsifyPart::select || counts) {
    accesses.push_back(reads(work.tail));
  } else if (work.tail != nullptr) {
    accesses.push_back(writes(work.tail));
  }
  if (work.shared_tail != nullptr) accesses.push_back(reads(work.shared_tail));
  if (work.shared_rank != nullptr) accesses.push_back(reads(work.shared_rank));
  if (counts) {
    accesses.push_back(reads(work.counters, SharedRankSearch<Real>::counters));
    accesses.push_back(writes(work.counters, SharedRankSearch<Real>::counters));
  }
  if (work.scale.control != nullptr) accesses.push_back(reads(work.scale.control));
  if (work.step != nullptr) accesses.push_back(reads(work.step));
  std::vector<WeightedTerm<Element, HostSpace>> terms;
  for (auto const& term : work.terms) {
    terms.push_back({stand_in::on_host(term.values), term.weight});
    accesses.push_back(reads(term.values));
  }
  stand_in::add_sides(accesses, work.residual, true);
  stand_in::add_sides(accesses, work.momentum, true);
  if (!work.accumulator.empty()) accesses.push_back(writes(work.accumulator));
  accesses.push_back(writes(work.scratch));
  if (selects) {
    accesses.push_back(writes(work.out.counts));
    accesses.push_back(writes(work.out.indices));
    accesses.push_back(writes(work.out.values));
  }
  SparsifyWork<Element, Real, HostSpace, Index> const there{
      .terms = {},
      .scale = work.scale,
      .accumulator = stand_in::on_host(work.accumulator),
      .residual = stand_in::on_host(work.residual),
      .momentum = stand_in::on_host(work.momentum),
      .constants = work.constants,
      .state = work.state,
      .out = {work.out.counts, stand_in::on_host(work.out.indices), stand_in::on_host(work.out.values)},
      .scratch = {},
      .step = work.step,
      .part = work.part,
      .tail = work.tail,
      .shared_tail = work.shared_tail,
      .shared_rank = work.shared_rank,
      .counters = work.counters};
  stand_in::enqueue(executor, "sparsify", std::move(accesses), [=] {
    stand_in::Inside const running;
    auto here = there;
    here.terms = terms;
    std::vector<std::byte> scratch(sparsify_scratch_bytes<Real>(stand_in::host(), size, 1.0));
    here.scratch = view(scratch);
    sparsify(stand_in::host(), here, policy);
  });
}

template <class Index, class Real>
void scatter_add(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count,
                 std::type_identity_t<DeviceView<std::remove_const_t<Real>>> out) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "scatter_add",
                    {reads(indices), reads(values), reads(count), reads(out), stand_in::writes(out)}, [=] {
                      scatter_add(stand_in::host(), on_host(indices), on_host(values), count, on_host(out));
                    });
}

template <class Index, class Real>
void scatter_add(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count, DeviceTwoSidedView<std::remove_const_t<Real>> out) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{reads(indices), reads(values), reads(count)};
  stand_in::add_sides(accesses, out, true);
  stand_in::enqueue(executor, "scatter_add", std::move(accesses), [=] {
    scatter_add(stand_in::host(), on_host(indices), on_host(values), count, on_host(out));
  });
}

template <class Index, class Real>
void scatter_add_finite(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                        std::uint64_t const* count, DeviceTwoSidedView<std::remove_const_t<Real>> out) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{reads(indices), reads(values), reads(count)};
  stand_in::add_sides(accesses, out, true);
  stand_in::enqueue(executor, "scatter_add_finite", std::move(accesses), [=] {
    scatter_add_finite(stand_in::host(), on_host(indices), on_host(values), count, on_host(out));
  });
}

template <class Element, class Index, class Real>
requires std::same_as<std::remove_const_t<Element>, Real>
void gather(CudaExecutor const& executor, DeviceView<Element> in, DeviceView<Index> indices,
            std::uint64_t const* count, DeviceView<Real> values) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "gather", {reads(in), reads(indices), reads(count), stand_in::writes(values)},
                    [=] { gather(stand_in::host(), on_host(in), on_host(indices), count, on_host(values)); });
}

template <class Index, class Real>
void zero_at(CudaExecutor const& executor, DeviceView<Index> indices, std::uint64_t const* count,
             DeviceView<Real> out) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "zero_at", {reads(indices), reads(count), stand_in::writes(out)},
                    [=] { zero_at(stand_in::host(), on_host(indices), count, on_host(out)); });
}

template <class Index, class Real>
void zero_at(CudaExecutor const& executor, DeviceView<Index> indices, std::uint64_t const* count,
             DeviceTwoSidedView<Real> out) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{reads(indices), reads(count)};
  stand_in::add_sides(accesses, out, true);
  stand_in::enqueue(executor, "zero_at", std::move(accesses),
                    [=] { zero_at(stand_in::host(), on_host(indices), count, on_host(out)); });
}

template <class Index, class Real>
void take_at(CudaExecutor const& executor, DeviceTwoSidedView<Real> from, DeviceView<Index> indices,
             std::uint64_t const* count, DeviceView<Real> values) {
  using stand_in::on_host, stand_in::reads;
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{reads(indices), reads(count)};
  stand_in::add_sides(accesses, from, true);
  accesses.push_back(stand_in::writes(values));
  stand_in::enqueue(executor, "take_at", std::move(accesses), [=] {
    take_at(stand_in::host(), on_host(from), on_host(indices), count, on_host(values));
  });
}

template <class Real>
void take_all(CudaExecutor const& executor, DeviceTwoSidedView<Real> from,
              std::type_identity_t<DeviceView<Real>> out) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses;
  stand_in::add_sides(accesses, from, true);
  accesses.push_back(stand_in::writes(out));
  stand_in::enqueue(executor, "take_all", std::move(accesses),
                    [=] { take_all(stand_in::host(), stand_in::on_host(from), stand_in::on_host(out)); });
}

template <class Real>
void copy(CudaExecutor const& executor, DeviceTwoSidedView<Real> in,
          std::type_identity_t<DeviceView<Real>> out) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses;
  stand_in::add_sides(accesses, in, false);
  accesses.push_back(stand_in::writes(out));
  stand_in::enqueue(executor, "copy", std::move(accesses),
                    [=] { copy(stand_in::host(), stand_in::on_host(in), stand_in::on_host(out)); });
}

template <class Real>
void copy(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> in,
          DeviceTwoSidedView<Real> out) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{stand_in::reads(in)};
  stand_in::add_sides(accesses, out, true);
  stand_in::enqueue(executor, "copy", std::move(accesses),
                    [=] { copy(stand_in::host(), stand_in::on_host(in), stand_in::on_host(out)); });
}

template <class Real>
void set_zero(CudaExecutor const& executor, DeviceTwoSidedView<Real> out) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses;
  stand_in::add_sides(accesses, out, true);
  stand_in::enqueue(executor, "set_zero", std::move(accesses),
                    [=] { set_zero(stand_in::host(), stand_in::on_host(out)); });
}

}  // namespace weir::inline v1
