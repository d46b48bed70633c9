#pragma once

#include "weir/cuda/kernels/update_launch.cuh"

namespace weir::inline v1 {

template <std::floating_point Real>
void adamw_update(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> weights,
                  DeviceView<Real> out, std::type_identity_t<DeviceView<Real const>> gradient,
                  std::type_identity_t<DeviceView<Real>> first_moment,
                  std::type_identity_t<DeviceView<Real>> second_moment, AdamConstants constants,
                  OptimizerState const* state, GradientScale scale) {
  detail::check_adamw_update(weights, out, gradient, first_moment, second_moment, state);
  detail::UpdateWork<AdamWRule<Real>, Real, 1> work{};
  work.whole.weights = weights.data();
  work.whole.out = out.data();
  work.elements = out.size();
  work.terms[0] = gradient.data();
  work.term_weights[0] = 1;
  work.moments[0] = first_moment.data();
  work.moments[1] = second_moment.data();
  work.constants = constants;
  work.state = state;
  work.scale = scale;
  detail::update_one(executor, work);
}

template <class Element, std::floating_point Real>
requires UpdateTerm<Element, Real>
void adamw_update_pieces(CudaExecutor const& executor, UpdateList<Real> const& list,
                         std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                         std::type_identity_t<DeviceView<Real>> first_moment,
                         std::type_identity_t<DeviceView<Real>> second_moment, AdamConstants constants,
                         OptimizerState const* state, GradientScale scale) {
  detail::Arguments const arguments("adamw_update_pieces");
  detail::check_pieces(arguments, list, terms, state);
  arguments.same_size("first_moment", first_moment.size(), "the bucket", list.elements);
  arguments.same_size("second_moment", second_moment.size(), "the bucket", list.elements);
  detail::UpdateWork<AdamWRule<Real>, Element, 1> work{};
  work.chunks = list.chunks;
  work.moments[0] = first_moment.data();
  work.moments[1] = second_moment.data();
  work.constants = constants;
  work.state = state;
  work.scale = scale;
  work.used = list.used;
  work.copies = list.copies;
  work.shift = list.shift;
  detail::update_pieces<1>(executor, list.count, work, terms);
}

}  // namespace weir::inline v1
