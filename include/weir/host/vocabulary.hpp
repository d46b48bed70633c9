#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "weir/exec/arithmetic_element.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/host/executor.hpp"

// After the executor, which includes this file at its end.
#include "weir/exec/arguments.hpp"
#include "weir/exec/update_arguments.hpp"
#include "weir/host/kernels/adamw_update.hpp"
#include "weir/host/kernels/convert.hpp"
#include "weir/host/kernels/fill.hpp"
#include "weir/host/kernels/measure.hpp"
#include "weir/host/kernels/sgd_update.hpp"
#include "weir/host/kernels/sum_weighted.hpp"
#include "weir/host/kernels/tail.hpp"
#include "weir/host/load_store.hpp"
#include "weir/host/sweep.hpp"

// The verbs of the host backend. What all have in common is said here. Streams: the loop runs on the stream's
// thread, and where 256 KiB or more are moved, the executor's team shares it. Cost: what moving the bytes
// costs, with the widest vectors that the processor has; nothing is allocated. The result never depends on
// the number of threads, the width of the vectors or the compiler. Views may be empty and may start at any
// element. Errors: `ContractViolation` at the call, with the verb's name, for sizes that differ and for views
// that have memory in common where that is not allowed.

namespace weir::inline v1 {

template <class Element>
using HostView = TensorView<Element, HostSpace>;

namespace detail {

inline void copy_bytes(ThreadTeam& team, void const* from, void* to, std::size_t bytes) {
  if (from == to || bytes == 0) return;
  share(team, bytes, 2, [&](std::size_t begin, std::size_t end) {
    __builtin_memcpy(static_cast<std::byte*>(to) + begin, static_cast<std::byte const*>(from) + begin,
                     end - begin);
  });
}

}  // namespace detail

/// `out = value`, for any trivially copyable element of 2, 4 or 8 bytes.
template <class Element>
void fill(HostExecutor const& executor, HostView<Element> out, std::type_identity_t<Element> value) {
  executor.submit([=](HostExecutor const& point) {
    detail::sweep_elementwise(point.team(), out.size(), sizeof(Element),
                              detail::Fill<Element>(out.data(), value));
  });
}

/// `out = 0`.
template <class Element>
void set_zero(HostExecutor const& executor, HostView<Element> out) {
  fill(executor, out, Element{});
}

/// `out = 0` if `*condition` is not 0 when the work runs.
template <class Element>
void clear_if(HostExecutor const& executor, HostView<Element> out, std::uint64_t const* condition) {
  detail::Arguments("clear_if").not_null("condition", condition);
  executor.submit([=](HostExecutor const& point) {
    if (*condition != 0) set_zero(point, out);
  });
}

/// `out = in`, each element rounded once, to nearest even. The views are the same elements or apart.
template <class From, class To>
requires CopyableElement<From, To>
void copy(HostExecutor const& executor, HostView<From> in, HostView<To> out) {
  using Source = std::remove_const_t<From>;
  detail::Arguments const arguments("copy");
  arguments.same_size("out", out.size(), "in", in.size());
  arguments.same_or_apart("out", out, "in", in);
  executor.submit([from = static_cast<Source const*>(in.data()), out](HostExecutor const& point) {
    if constexpr (std::is_same_v<Source, To>) {
      detail::copy_bytes(point.team(), from, out.data(), out.size() * sizeof(To));
    } else {
      detail::sweep_elementwise(point.team(), out.size(), sizeof(Source) + sizeof(To),
                                detail::Convert<Source, To>{from, out.data()});
    }
  });
}

/// `out += factor * in`, the product rounded before it is added. The views are the same elements or apart.
template <class Element, class Real>
requires ExactIn<Element, Real>
void add_scaled(HostExecutor const& executor, HostView<Element> in, std::type_identity_t<Real> factor,
                HostView<Real> out) {
  using Source = std::remove_const_t<Element>;
  detail::Arguments const arguments("add_scaled");
  arguments.same_size("out", out.size(), "in", in.size());
  arguments.same_or_apart("out", out, "in", in);
  executor.submit([from = static_cast<Source const*>(in.data()), factor, out](HostExecutor const& point) {
    detail::sweep_elementwise(point.team(), out.size(), sizeof(Source) + 2 * sizeof(Real),
                              detail::AddScaled<Source, Real>{from, out.data(), factor});
  });
}

/// `*out` becomes the `Measurement` of `in`.
template <class Element>
requires ArithmeticElement<std::remove_const_t<Element>>
void measure(HostExecutor const& executor, HostView<Element> in, Measurement* out) {
  detail::Arguments("measure").not_null("out", out);
  executor.submit([in, out](HostExecutor const& point) {
    *out = detail::sum_leaves_after<detail::SquareLeaf>(detail::NoWork{}, point.team(), in.data(), in.size(),
                                                        sizeof(Element))
               .measurement();
  });
}

/// `out = ((w_0 * t_0 + w_1 * t_1) + w_2 * t_2) + ..`, each product rounded before it is added, each weight
/// rounded to `Real` before. `out` and each term are the same elements or apart.
///
/// Cost: one pass, also with an epilogue, which looks at what was summed while it is in the cache. Tail
/// statistics cost some 30 operations an element.
/// Streams: `terms` itself lives until the work has run.
template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_weighted(HostExecutor const& executor, std::span<WeightedTerm<Element, HostSpace> const> terms,
                  HostView<Real> out, SumEpilogue epilogue = {}) {
  detail::Arguments const arguments("sum_weighted");
  if (terms.empty()) arguments.refuse("there are no terms, at least one is needed");
  for (auto const& term : terms) {
    arguments.same_size("a term", term.values.size(), "out", out.size());
    arguments.same_or_apart("out", out, "a term", term.values);
  }
  arguments.same_or_apart("out", out, "the residual",
                          HostView<Real const>(static_cast<Real const*>(epilogue.residual),
                                               epilogue.residual == nullptr ? 0 : out.size()));
  executor.submit([terms, out, epilogue](HostExecutor const& point) {
    Real const* const residual = static_cast<Real const*>(epilogue.residual);
    detail::SumWeighted<Element, Real> sum{terms.data(), terms.size(), out.data(), residual};
    if (!epilogue.clamp.is_empty()) sum.limit = epilogue.clamp.template limit<Real>();
    std::size_t const bytes = terms.size() * sizeof(Element) + (residual == nullptr ? 1 : 2) * sizeof(Real);
    if (epilogue.tail != nullptr) {
      auto const root =
          detail::sum_leaves_after<detail::SquareTailLeaf>(sum, point.team(), out.data(), out.size(), bytes);
      *epilogue.tail = root.tail.statistics();
      if (epilogue.measurement != nullptr) *epilogue.measurement = root.squares.measurement();
    } else if (epilogue.measurement != nullptr) {
      *epilogue.measurement =
          detail::sum_leaves_after<detail::SquareLeaf>(sum, point.team(), out.data(), out.size(), bytes)
              .measurement();
    } else {
      detail::sweep(point.team(), out.size(), bytes, sum);
    }
  });
}

/// `step()`, once.
template <std::invocable Step>
void apply_scalars(HostExecutor const& executor, Step step) {
  executor.submit(step);
}

/// A step of stochastic gradient descent, as `SgdConstants` says. `weights` and `out` are the same elements
/// or apart, the others apart from both; an empty velocity means no momentum. The rate is read from `state`,
/// and the factor and whether to skip from `scale`, when the work runs; a skipped step only copies the
/// weights to `out`.
template <std::floating_point Real>
void sgd_update(HostExecutor const& executor, std::type_identity_t<HostView<Real const>> weights,
                HostView<Real> out, std::type_identity_t<HostView<Real const>> gradient,
                std::type_identity_t<HostView<Real>> velocity, SgdConstants constants,
                OptimizerState const* state, GradientScale scale) {
  detail::check_sgd_update(weights, out, gradient, velocity, state);
  typename detail::SgdUpdate<Real>::Arrays const arrays{weights.data(), out.data(), gradient.data(),
                                                        velocity.empty() ? nullptr : velocity.data()};
  executor.submit([arrays, size = out.size(), constants, state, scale](HostExecutor const& point) {
    if (scale.skip())
      return detail::copy_bytes(point.team(), arrays.weights, arrays.out, size * sizeof(Real));
    std::size_t const bytes = (arrays.velocity == nullptr ? 3 : 5) * sizeof(Real);
    detail::sweep_elementwise(point.team(), size, bytes,
                              detail::SgdUpdate<Real>(arrays, constants, *state, scale));
  });
}

/// A step of Adam with decoupled weight decay, as `AdamConstants` says. Otherwise like `sgd_update`.
template <std::floating_point Real>
void adamw_update(HostExecutor const& executor, std::type_identity_t<HostView<Real const>> weights,
                  HostView<Real> out, std::type_identity_t<HostView<Real const>> gradient,
                  std::type_identity_t<HostView<Real>> first_moment,
                  std::type_identity_t<HostView<Real>> second_moment, AdamConstants constants,
                  OptimizerState const* state, GradientScale scale) {
  detail::check_adamw_update(weights, out, gradient, first_moment, second_moment, state);
  typename detail::AdamWUpdate<Real>::Arrays const arrays{weights.data(), out.data(), gradient.data(),
                                                          first_moment.data(), second_moment.data()};
  executor.submit([arrays, size = out.size(), constants, state, scale](HostExecutor const& point) {
    if (scale.skip())
      return detail::copy_bytes(point.team(), arrays.weights, arrays.out, size * sizeof(Real));
    detail::sweep_elementwise(point.team(), size, 7 * sizeof(Real),
                              detail::AdamWUpdate<Real>(arrays, constants, *state, scale));
  });
}

/// Copies `bytes` bytes. They and the source stay as they are until the stream has passed this place.
inline void copy_to_host(HostExecutor const& executor, void const* from, void* to, std::size_t bytes) {
  executor.submit([=](HostExecutor const& point) { detail::copy_bytes(point.team(), from, to, bytes); });
}

/// Copies `bytes` bytes.
inline void copy_from_host(HostExecutor const& executor, void const* from, void* to, std::size_t bytes) {
  copy_to_host(executor, from, to, bytes);
}

}  // namespace weir::inline v1

// The verbs of sparsification.
#include "weir/host/sparsify.hpp"

// The verbs of masked layers.
#include "weir/host/batch_verbs.hpp"
#include "weir/host/clear_dead.hpp"
#include "weir/host/masked_product.hpp"
