#pragma once

#include "weir/cuda/kernels/update_launch.cuh"

namespace weir::inline v1 {

template <std::floating_point Real>
void sgd_update(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> weights,
                DeviceView<Real> out, std::type_identity_t<DeviceView<Real const>> gradient,
                std::type_identity_t<DeviceView<Real>> velocity, SgdConstants constants,
                OptimizerState const* state, GradientScale scale) {
  detail::check_sgd_update(weights, out, gradient, velocity, state);
  detail::UpdateWork<SgdRule<Real>, Real, 1> work{};
  work.whole.weights = weights.data();
  work.whole.out = out.data();
  work.elements = out.size();
  work.terms[0] = gradient.data();
  work.term_weights[0] = 1;
  work.moments[0] = velocity.empty() ? nullptr : velocity.data();
  work.constants = constants;
  work.state = state;
  work.scale = scale;
  detail::update_one(executor, work);
}

template <class Element, std::floating_point Real>
requires UpdateTerm<Element, Real>
void sgd_update_pieces(CudaExecutor const& executor, UpdateList<Real> const& list,
                       std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                       std::type_identity_t<DeviceView<Real>> velocity, SgdConstants constants,
                       OptimizerState const* state, GradientScale scale) {
  detail::Arguments const arguments("sgd_update_pieces");
  detail::check_pieces(arguments, list, terms, state);
  if (!velocity.empty()) arguments.same_size("velocity", velocity.size(), "the bucket", list.elements);
  detail::UpdateWork<SgdRule<Real>, Element, 1> work{};
  work.chunks = list.chunks;
  work.moments[0] = velocity.empty() ? nullptr : velocity.data();
  work.constants = constants;
  work.state = state;
  work.scale = scale;
  work.used = list.used;
  work.copies = list.copies;
  work.shift = list.shift;
  detail::update_pieces<1>(executor, list.count, work, terms);
}

}  // namespace weir::inline v1
