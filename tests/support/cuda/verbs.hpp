#pragma once

#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/scalar_accesses.hpp"
#include "support/cuda/stand_in.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/arguments.hpp"
#include "weir/exec/update_arguments.hpp"
#include "weir/host/vocabulary.hpp"

// The verbs of CudaExecutor on the stand-in: in the place of weir/cuda/vocabulary.cuh. Each enqueues a kernel
// that calls the host's verb, and says what it reads and writes.

namespace stand_in {

/// A host executor on which verbs happen there and then.
inline weir::HostExecutor const& host() {
  static weir::HostExecutor const immediate = [] {
    weir::HostExecutor const executor;
    std::optional<weir::HostExecutor> point;
    executor.submit([&](weir::HostExecutor const& handed) { point = handed; });
    executor.synchronize();
    return *point;
  }();
  return immediate;
}

template <class Element>
weir::HostView<Element> on_host(weir::DeviceView<Element> view) {
  return {view.data(), view.size()};
}

/// What kernels that measure write their partial results to.
inline Access scratch_of(weir::CudaExecutor const& executor) {
  return {executor.scratch().memory(), weir::CudaScratch::bytes, true};
}

/// Enqueues a kernel on the executor's stream.
template <class Run>
void enqueue(weir::CudaExecutor const& executor, char const* name, std::vector<Access> accesses, Run run) {
  weir::DeviceGuard const guard(executor.device());
  weir::check_cuda(launch(executor.stream(), name, std::move(accesses), std::move(run)), name);
}

template <class Real>
void add_control(std::vector<Access>& accesses, weir::OptimizerState const* state,
                 weir::GradientScale const& scale, weir::DeviceView<Real> weights) {
  accesses.push_back(reads(state));
  accesses.push_back(reads(weights));
  if (scale.control != nullptr) accesses.push_back(reads(scale.control));
}

}  // namespace stand_in

namespace weir::inline v1 {

template <class Element>
void fill(CudaExecutor const& executor, DeviceView<Element> out, std::type_identity_t<Element> value) {
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "fill", {stand_in::writes(out)},
                    [=] { fill(stand_in::host(), stand_in::on_host(out), value); });
}

template <class Element>
void set_zero(CudaExecutor const& executor, DeviceView<Element> out) {
  stand_in::Inside const inside;
  fill(executor, out, Element{});
}

template <class Element>
void clear_if(CudaExecutor const& executor, DeviceView<Element> out, std::uint64_t const* condition) {
  stand_in::Inside const inside;
  detail::Arguments("clear_if").not_null("condition", condition);
  stand_in::enqueue(executor, "clear_if", {stand_in::reads(condition), stand_in::writes(out)},
                    [=] { clear_if(stand_in::host(), stand_in::on_host(out), condition); });
}

template <class From, class To>
requires CopyableElement<From, To>
void copy(CudaExecutor const& executor, DeviceView<From> in, DeviceView<To> out) {
  stand_in::Inside const inside;
  detail::Arguments const arguments("copy");
  arguments.same_size("out", out.size(), "in", in.size());
  arguments.same_or_apart("out", out, "in", in);
  stand_in::enqueue(executor, "copy", {stand_in::reads(in), stand_in::writes(out)},
                    [=] { copy(stand_in::host(), stand_in::on_host(in), stand_in::on_host(out)); });
}

template <class Element, class Real>
requires ExactIn<Element, Real>
void add_scaled(CudaExecutor const& executor, DeviceView<Element> in, std::type_identity_t<Real> factor,
                DeviceView<Real> out) {
  stand_in::Inside const inside;
  detail::Arguments const arguments("add_scaled");
  arguments.same_size("out", out.size(), "in", in.size());
  arguments.same_or_apart("out", out, "in", in);
  stand_in::enqueue(
      executor, "add_scaled", {stand_in::reads(in), stand_in::reads(out), stand_in::writes(out)},
      [=] { add_scaled(stand_in::host(), stand_in::on_host(in), factor, stand_in::on_host(out)); });
}

template <class Element>
requires ArithmeticElement<std::remove_const_t<Element>>
void measure(CudaExecutor const& executor, DeviceView<Element> in, Measurement* out) {
  stand_in::Inside const inside;
  detail::Arguments("measure").not_null("out", out);
  stand_in::enqueue(executor, "measure",
                    {stand_in::reads(in), stand_in::writes(out), stand_in::scratch_of(executor)},
                    [=] { measure(stand_in::host(), stand_in::on_host(in), out); });
}

template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_weighted(CudaExecutor const& executor, std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                  DeviceView<Real> out, SumEpilogue epilogue) {
  stand_in::Inside const inside;
  detail::Arguments const arguments("sum_weighted");
  if (terms.empty()) arguments.refuse("there are no terms, at least one is needed");
  std::vector<stand_in::Access> accesses{stand_in::writes(out)};
  std::vector<WeightedTerm<Element, HostSpace>> read;
  for (auto const& term : terms) {
    arguments.same_size("a term", term.values.size(), "out", out.size());
    arguments.same_or_apart("out", out, "a term", term.values);
    accesses.push_back(stand_in::reads(term.values));
    read.push_back({stand_in::on_host(term.values), term.weight});
  }
  // The reads come first: memory of which nothing was written may be written, not read.
  std::swap(accesses.front(), accesses.back());
  if (auto const* control = epilogue.clamp.scale.control; control != nullptr)
    accesses.push_back(stand_in::reads(control));
  if (epilogue.measurement != nullptr) {
    accesses.push_back(stand_in::writes(epilogue.measurement));
    accesses.push_back(stand_in::scratch_of(executor));
  }
  stand_in::enqueue(executor, "sum_weighted", std::move(accesses), [=] {
    using Term = WeightedTerm<Element, HostSpace>;
    sum_weighted(stand_in::host(), std::span<Term const>(read), stand_in::on_host(out), epilogue);
  });
}

template <std::invocable Step>
void apply_scalars(CudaExecutor const& executor, Step step) {
  stand_in::Inside const inside;
  using stand_in::accesses_of;
  stand_in::enqueue(executor, "apply_scalars", accesses_of(step), [=] { step(); });
}

template <std::floating_point Real>
void sgd_update(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> weights,
                DeviceView<Real> out, std::type_identity_t<DeviceView<Real const>> gradient,
                std::type_identity_t<DeviceView<Real>> velocity, SgdConstants constants,
                OptimizerState const* state, GradientScale scale) {
  stand_in::Inside const inside;
  detail::check_sgd_update(weights, out, gradient, velocity, state);
  std::vector<stand_in::Access> accesses{stand_in::reads(gradient), stand_in::reads(velocity)};
  stand_in::add_control(accesses, state, scale, weights);
  accesses.push_back(stand_in::writes(velocity));
  accesses.push_back(stand_in::writes(out));
  stand_in::enqueue(executor, "sgd_update", std::move(accesses), [=] {
    sgd_update(stand_in::host(), stand_in::on_host(weights), stand_in::on_host(out),
               stand_in::on_host(gradient), stand_in::on_host(velocity), constants, state, scale);
  });
}

template <std::floating_point Real>
void adamw_update(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> weights,
                  DeviceView<Real> out, std::type_identity_t<DeviceView<Real const>> gradient,
                  std::type_identity_t<DeviceView<Real>> first_moment,
                  std::type_identity_t<DeviceView<Real>> second_moment, AdamConstants constants,
                  OptimizerState const* state, GradientScale scale) {
  stand_in::Inside const inside;
  detail::check_adamw_update(weights, out, gradient, first_moment, second_moment, state);
  std::vector<stand_in::Access> accesses{stand_in::reads(gradient), stand_in::reads(first_moment),
                                         stand_in::reads(second_moment)};
  stand_in::add_control(accesses, state, scale, weights);
  accesses.push_back(stand_in::writes(first_moment));
  accesses.push_back(stand_in::writes(second_moment));
  accesses.push_back(stand_in::writes(out));
  stand_in::enqueue(executor, "adamw_update", std::move(accesses), [=] {
    adamw_update(stand_in::host(), stand_in::on_host(weights), stand_in::on_host(out),
                 stand_in::on_host(gradient), stand_in::on_host(first_moment),
                 stand_in::on_host(second_moment), constants, state, scale);
  });
}

}  // namespace weir::inline v1

// What updates all pieces of a bucket in one launch, and what sparsifies.
#include "support/cuda/sparsify.hpp"
#include "support/cuda/update_pieces.hpp"
