#pragma once

#include "weir/exec/arguments.hpp"
#include "weir/exec/optimizer_state.hpp"

namespace weir::inline v1 {
namespace detail {

/// What `sgd_update` of any backend checks.
template <class Real, class Space>
void check_sgd_update(TensorView<Real const, Space> weights, TensorView<Real, Space> out,
                      TensorView<Real const, Space> gradient, TensorView<Real, Space> velocity,
                      OptimizerState const* state) {
  Arguments const arguments("sgd_update");
  arguments.not_null("state", state);
  arguments.same_size("out", out.size(), "weights", weights.size());
  arguments.same_size("gradient", gradient.size(), "weights", weights.size());
  if (!velocity.empty()) arguments.same_size("velocity", velocity.size(), "weights", weights.size());
  arguments.same_or_apart("out", out, "weights", weights);
  arguments.apart("out", out, "gradient", gradient);
  arguments.apart("velocity", velocity, "weights", weights);
  arguments.apart("velocity", velocity, "out", out);
  arguments.apart("velocity", velocity, "gradient", gradient);
}

/// What `adamw_update` of any backend checks.
template <class Real, class Space>
void check_adamw_update(TensorView<Real const, Space> weights, TensorView<Real, Space> out,
                        TensorView<Real const, Space> gradient, TensorView<Real, Space> first_moment,
                        TensorView<Real, Space> second_moment, OptimizerState const* state) {
  Arguments const arguments("adamw_update");
  arguments.not_null("state", state);
  arguments.same_size("out", out.size(), "weights", weights.size());
  arguments.same_size("gradient", gradient.size(), "weights", weights.size());
  arguments.same_size("first_moment", first_moment.size(), "weights", weights.size());
  arguments.same_size("second_moment", second_moment.size(), "weights", weights.size());
  arguments.same_or_apart("out", out, "weights", weights);
  arguments.apart("out", out, "gradient", gradient);
  arguments.apart("first_moment", first_moment, "second_moment", second_moment);
  for (TensorView<Real, Space> const moment : {first_moment, second_moment}) {
    arguments.apart("a moment", moment, "weights", weights);
    arguments.apart("a moment", moment, "out", out);
    arguments.apart("a moment", moment, "gradient", gradient);
  }
}

}  // namespace detail
}  // namespace weir::inline v1
