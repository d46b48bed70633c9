#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>

#include "support/update_pieces.hpp"
#include "weir/exec/immediate_executor.hpp"
#include "weir/exec/multi_tensor_backend.hpp"
#include "weir/host/kernels/adamw_update.hpp"
#include "weir/host/kernels/sgd_update.hpp"
#include "weir/host/load_store.hpp"

struct NewMemory {
  using memory_space = weir::HostSpace;
  void* allocate(std::size_t bytes) const { return ::operator new(bytes); }
  void deallocate(void* memory, std::size_t) const noexcept { ::operator delete(memory); }
};

/// Does everything at the call, and has, in plain loops, the verbs that update many tensors at once: what a
/// primitive does with them is tested without a device.
using ImmediateExecutor = weir::ImmediateExecutor<NewMemory>;

/// How many updates of many tensors there were, and how many of each other verb that writes weights.
struct VerbCounts {
  int updates = 0, pieces = 0, sums = 0, copies = 0;
};
inline VerbCounts& verb_counts() {
  static VerbCounts all;
  return all;
}

template <class Element>
using ImmediateView = weir::TensorView<Element, weir::HostSpace>;

template <class Element>
void fill(ImmediateExecutor const&, ImmediateView<Element> out, std::type_identity_t<Element> value) {
  for (Element& element : out) element = value;
}
template <class Element>
void set_zero(ImmediateExecutor const& executor, ImmediateView<Element> out) {
  fill(executor, out, Element{});
}
template <class From, class To>
requires weir::CopyableElement<From, To>
void copy(ImmediateExecutor const&, ImmediateView<From> in, ImmediateView<To> out) {
  ++verb_counts().copies;
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = weir::detail::convert<To>(in[i]);
}
template <class Element, class Real>
requires weir::ExactIn<Element, Real>
void add_scaled(ImmediateExecutor const&, ImmediateView<Element> in, std::type_identity_t<Real> factor,
                ImmediateView<Real> out) {
  for (std::size_t i = 0; i < in.size(); ++i)
    out[i] = oracle::plus(oracle::times(static_cast<Real>(in[i]), factor), out[i]);
}
template <class Element, class Real>
requires weir::ExactIn<Element, Real>
void sum_weighted(ImmediateExecutor const&,
                  std::span<weir::WeightedTerm<Element, weir::HostSpace> const> terms,
                  ImmediateView<Real> out, weir::SumEpilogue = {}) {
  ++verb_counts().sums;
  for (std::size_t i = 0; i < out.size(); ++i) {
    Real sum{};
    for (std::size_t t = 0; t < terms.size(); ++t) {
      Real const product =
          oracle::times(static_cast<Real>(terms[t].values[i]), static_cast<Real>(terms[t].weight));
      sum = t == 0 ? product : oracle::plus(sum, product);
    }
    out[i] = sum;
  }
}
template <class Step>
void apply_scalars(ImmediateExecutor const&, Step step) {
  step();
}
inline void copy_to_host(ImmediateExecutor const&, void const* from, void* to, std::size_t bytes) {
  if (bytes != 0) std::memcpy(to, from, bytes);
}
inline void copy_from_host(ImmediateExecutor const&, void const* from, void* to, std::size_t bytes) {
  if (bytes != 0) std::memcpy(to, from, bytes);
}

template <std::floating_point Real>
void sgd_update(ImmediateExecutor const&, std::type_identity_t<ImmediateView<Real const>> weights,
                ImmediateView<Real> out, std::type_identity_t<ImmediateView<Real const>> gradient,
                std::type_identity_t<ImmediateView<Real>> velocity, weir::SgdConstants constants,
                weir::OptimizerState const* state, weir::GradientScale scale) {
  ++verb_counts().updates;
  if (scale.skip()) return;
  weir::detail::SgdUpdate<Real> const update(
      {weights.data(), out.data(), gradient.data(), velocity.empty() ? nullptr : velocity.data()}, constants,
      *state, scale);
  for (std::size_t i = 0; i < out.size(); ++i) update.template step<1>(i);
}
template <std::floating_point Real>
void adamw_update(ImmediateExecutor const&, std::type_identity_t<ImmediateView<Real const>> weights,
                  ImmediateView<Real> out, std::type_identity_t<ImmediateView<Real const>> gradient,
                  std::type_identity_t<ImmediateView<Real>> first_moment,
                  std::type_identity_t<ImmediateView<Real>> second_moment, weir::AdamConstants constants,
                  weir::OptimizerState const* state, weir::GradientScale scale) {
  ++verb_counts().updates;
  if (scale.skip()) return;
  weir::detail::AdamWUpdate<Real> const update(
      {weights.data(), out.data(), gradient.data(), first_moment.data(), second_moment.data()}, constants,
      *state, scale);
  for (std::size_t i = 0; i < out.size(); ++i) update.template step<1>(i);
}

template <class Element, std::floating_point Real>
requires weir::UpdateTerm<Element, Real>
void sgd_update_pieces(ImmediateExecutor const&, weir::UpdateList<Real> const& list,
                       std::span<weir::WeightedTerm<Element, weir::HostSpace> const> terms,
                       std::type_identity_t<ImmediateView<Real>> velocity, weir::SgdConstants constants,
                       weir::OptimizerState const* state, weir::GradientScale scale) {
  ++verb_counts().pieces;
  update_pieces_by_hand(list, terms, scale, [&](Real const* weight, Real* out, Real gradient, std::size_t i) {
    Real* const v = velocity.empty() ? nullptr : velocity.data() + i;
    weir::detail::SgdUpdate<Real>({weight, out, &gradient, v}, constants, *state, scale).template step<1>(0);
  });
}
template <class Element, std::floating_point Real>
requires weir::UpdateTerm<Element, Real>
void adamw_update_pieces(ImmediateExecutor const&, weir::UpdateList<Real> const& list,
                         std::span<weir::WeightedTerm<Element, weir::HostSpace> const> terms,
                         std::type_identity_t<ImmediateView<Real>> first_moment,
                         std::type_identity_t<ImmediateView<Real>> second_moment,
                         weir::AdamConstants constants, weir::OptimizerState const* state,
                         weir::GradientScale scale) {
  ++verb_counts().pieces;
  update_pieces_by_hand(list, terms, scale, [&](Real const* weight, Real* out, Real gradient, std::size_t i) {
    weir::detail::AdamWUpdate<Real>(
        {weight, out, &gradient, first_moment.data() + i, second_moment.data() + i}, constants, *state, scale)
        .template step<1>(0);
  });
}

static_assert(weir::MultiTensorBackend<ImmediateExecutor> &&
              weir::MultiTensorBackend<ImmediateExecutor, float, weir::bfloat16>);
