#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "weir/cuda/kernels/pairs.cuh"
#include "weir/cuda/kernels/partition.cuh"
#include "weir/cuda/kernels/sparsify_kernels.cuh"
#include "weir/cuda/sparsify.hpp"
#include "weir/exec/arguments.hpp"
#include "weir/exec/sparsify_arguments.hpp"

// What sparsify.hpp declares.

namespace weir::inline v1 {
namespace detail {

template <class Policy>
inline constexpr FirstPassNeed first_pass_need =
    RandomSlots<Policy> || DefersSelection<Policy> || SelectsEverything<Policy> ? FirstPassNeed::census
    : RankedThreshold<Policy>                                                   ? FirstPassNeed::ranks
                                                                                : FirstPassNeed::moments;

/// A sparsification as the kernels see it.
template <class Element, class Real, class Index>
class SparsifyLaunch {
  using Source = std::remove_const_t<Element>;
  using Work = SparsifyWork<Element, Real, DeviceSpace, Index>;

 public:
  SparsifyLaunch(Work const& work, FirstPassNeed need) {
    device_.layout = SparsifyLayout::of(work.terms[0].values.size());
    device_.scratch = work.scratch.data();
    device_.constants = work.constants;
    device_.scale = work.scale;
    device_.state = work.state;
    device_.accumulator = work.accumulator.data();
    device_.residual = work.residual;
    device_.momentum = work.momentum;
    device_.counts = work.out.counts;
    device_.indices = work.out.indices.data();
    device_.values = work.out.values.data();
    device_.capacity = work.out.capacity();
    device_.step = work.step;
    device_.part = work.part;
    device_.need = need;
    device_.tail = work.tail;
    device_.shared_tail = work.shared_tail;
    device_.shared_rank = work.shared_rank;
    device_.shared_counters = work.counters;
    device_.is_given = is_given(work);
    if constexpr (std::is_same_v<Source, Real>) {
      if (work.accumulator.empty()) device_.accumulator = const_cast<Real*>(work.terms[0].values.data());
    }
    terms_.count = static_cast<int>(work.terms.size());
    CommonAlignment alignment(work.terms[0].values.data());
    for (std::size_t i = 0; i < work.terms.size(); ++i) {
      terms_.terms[i] = work.terms[i].values.data();
      terms_.weights[i] = static_cast<Real>(work.terms[i].weight);
      alignment.include(work.terms[i].values.data());
    }
    for (unsigned side = 0; side < 2; ++side) {
      alignment.include(work.residual.side(side));
      alignment.include(work.momentum.side(side));
    }
    alignment.include(device_.accumulator);
    is_aligned_ = alignment.exists() && alignment.head() == 0;
  }

  DeviceWork<Real, Index> const& device() const { return device_; }
  DeviceTerms<Source, Real> const& terms() const { return terms_; }

  /// Whether packs of several elements can be read and written.
  bool is_aligned() const { return is_aligned_; }

 private:
  static bool is_given(Work const& work) {
    if constexpr (std::is_same_v<Source, Real>) {
      bool const is_alone = work.residual.empty() && work.terms.size() == 1 && work.terms[0].weight == 1.0;
      bool const is_plain =
          work.scale.value == 1.0 && work.scale.control == nullptr && work.constants.gamma == 1.0;
      return is_alone && is_plain &&
             (work.accumulator.empty() || work.accumulator.data() == work.terms[0].values.data());
    }
    return false;
  }

  DeviceWork<Real, Index> device_ = {};
  DeviceTerms<Source, Real> terms_ = {};
  bool is_aligned_ = false;
};

inline unsigned multiprocessors_of(int device) {
  int count = 0;
  check_cuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device),
             "cudaDeviceGetAttribute");
  return static_cast<unsigned>(count);
}

template <PairAction Action, class Vector, class Index, class Real>
void launch_pairs(CudaExecutor const& executor, Vector const& vector, DeviceView<Index> indices, Real* values,
                  std::uint64_t const* count, char const* what) {
  launch_places(executor,
                PairOperation<Action, Vector, std::remove_const_t<Index>, Real>{
                    vector, indices.data(), values, count, indices.size()},
                indices.size(), what);
}

template <class Index, class Real>
void check_pairs(char const* verb, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count) {
  Arguments const arguments(verb);
  arguments.same_size("values", values.size(), "indices", indices.size());
  arguments.not_null("count", count);
}

}  // namespace detail

template <class Element, class Real, class Index, ThresholdPolicy Policy>
requires ExactIn<Element, Real>
void sparsify(CudaExecutor const& executor, SparsifyWork<Element, Real, DeviceSpace, Index> const& work,
              Policy const& policy) {
  using detail::FirstPassNeed;
  std::size_t const size = work.terms.empty() ? 0 : work.terms[0].values.size();
  detail::check_sparsify<Policy>(work, sparsify_scratch_bytes<Real>(executor, size, 1.0));
  if (work.terms.size() > detail::most_terms) {
    detail::Arguments("sparsify")
        .refuse("there are " + std::to_string(work.terms.size()) + " terms, a device takes at most " +
                std::to_string(detail::most_terms));
  }
  constexpr FirstPassNeed need = detail::first_pass_need<Policy>;
  detail::SparsifyLaunch<Element, Real, Index> const launch(work, need);
  unsigned const multiprocessors = detail::multiprocessors_of(executor.device());
  if (work.part == SparsifyPart::count) {
    return detail::launch_shared_count(executor, launch.device(), multiprocessors);
  }
  if (need == FirstPassNeed::moments || work.tail != nullptr) {
    detail::launch_first_pass<true>(executor, launch.device(), launch.terms(), launch.is_aligned(),
                                    multiprocessors);
  } else {
    detail::launch_first_pass<false>(executor, launch.device(), launch.terms(), launch.is_aligned(),
                                     multiprocessors);
  }
  if (work.part != SparsifyPart::accumulate) {
    detail::launch_search(executor, launch.device(), policy, multiprocessors);
  }
}

template <class Index, class Real>
void scatter_add(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count,
                 std::type_identity_t<DeviceView<std::remove_const_t<Real>>> out) {
  using Number = std::remove_const_t<Real>;
  detail::check_pairs("scatter_add", indices, values, count);
  detail::launch_pairs<detail::PairAction::add>(executor, detail::WholeVector<Number>{out.data()}, indices,
                                                static_cast<Number const*>(values.data()), count,
                                                "launch of scatter_add");
}

template <class Index, class Real>
void scatter_add(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count, DeviceTwoSidedView<std::remove_const_t<Real>> out) {
  using Number = std::remove_const_t<Real>;
  detail::check_pairs("scatter_add", indices, values, count);
  detail::launch_pairs<detail::PairAction::add>(executor, detail::ValidSide<Number>{out}, indices,
                                                static_cast<Number const*>(values.data()), count,
                                                "launch of scatter_add");
}

template <class Index, class Real>
void scatter_add_finite(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                        std::uint64_t const* count, DeviceTwoSidedView<std::remove_const_t<Real>> out) {
  using Number = std::remove_const_t<Real>;
  detail::check_pairs("scatter_add_finite", indices, values, count);
  detail::launch_pairs<detail::PairAction::add_finite>(executor, detail::ValidSide<Number>{out}, indices,
                                                       static_cast<Number const*>(values.data()), count,
                                                       "launch of scatter_add_finite");
}

template <class Element, class Index, class Real>
requires std::same_as<std::remove_const_t<Element>, Real>
void gather(CudaExecutor const& executor, DeviceView<Element> in, DeviceView<Index> indices,
            std::uint64_t const* count, DeviceView<Real> values) {
  detail::check_pairs("gather", indices, values, count);
  detail::launch_pairs<detail::PairAction::gather>(executor, detail::WholeVector<Real const>{in.data()},
                                                   indices, values.data(), count, "launch of gather");
}

template <class Index, class Real>
void zero_at(CudaExecutor const& executor, DeviceView<Index> indices, std::uint64_t const* count,
             DeviceView<Real> out) {
  detail::Arguments("zero_at").not_null("count", count);
  detail::launch_pairs<detail::PairAction::zero>(executor, detail::WholeVector<Real>{out.data()}, indices,
                                                 static_cast<Real*>(nullptr), count, "launch of zero_at");
}

template <class Index, class Real>
void zero_at(CudaExecutor const& executor, DeviceView<Index> indices, std::uint64_t const* count,
             DeviceTwoSidedView<Real> out) {
  detail::Arguments("zero_at").not_null("count", count);
  detail::launch_pairs<detail::PairAction::zero>(executor, detail::ValidSide<Real>{out}, indices,
                                                 static_cast<Real*>(nullptr), count, "launch of zero_at");
}

template <class Index, class Real>
void take_at(CudaExecutor const& executor, DeviceTwoSidedView<Real> from, DeviceView<Index> indices,
             std::uint64_t const* count, DeviceView<Real> values) {
  detail::check_pairs("take_at", indices, values, count);
  detail::launch_pairs<detail::PairAction::take>(executor, detail::ValidSide<Real>{from}, indices,
                                                 values.data(), count, "launch of take_at");
}

template <class Real>
void take_all(CudaExecutor const& executor, DeviceTwoSidedView<Real> from,
              std::type_identity_t<DeviceView<Real>> out) {
  using Operation = detail::SideOperation<detail::SideAction::take, Real>;
  detail::Arguments("take_all").same_size("out", out.size(), "from", from.size());
  detail::launch_places(executor, Operation{from, out.data(), nullptr}, from.size(), "launch of take_all");
}

template <class Real>
void copy(CudaExecutor const& executor, DeviceTwoSidedView<Real> in,
          std::type_identity_t<DeviceView<Real>> out) {
  using Operation = detail::SideOperation<detail::SideAction::copy_out, Real>;
  detail::Arguments("copy").same_size("out", out.size(), "in", in.size());
  detail::launch_places(executor, Operation{in, out.data(), nullptr}, in.size(), "launch of copy");
}

template <class Real>
void copy(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> in,
          DeviceTwoSidedView<Real> out) {
  using Operation = detail::SideOperation<detail::SideAction::copy_in, Real>;
  detail::Arguments("copy").same_size("out", out.size(), "in", in.size());
  detail::launch_places(executor, Operation{out, nullptr, in.data()}, out.size(), "launch of copy");
}

template <class Real>
void set_zero(CudaExecutor const& executor, DeviceTwoSidedView<Real> out) {
  using Operation = detail::SideOperation<detail::SideAction::zero, Real>;
  detail::launch_places(executor, Operation{out, nullptr, nullptr}, out.size(), "launch of set_zero");
}

}  // namespace weir::inline v1
