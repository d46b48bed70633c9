#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/verbs.hpp"
#include "weir/exec/update_list.hpp"

namespace stand_in {

/// The sum of the terms on one chunk, as `sum_weighted` takes it.
template <class Element, class Real>
std::vector<Real> sum_of(std::span<weir::WeightedTerm<Element, weir::HostSpace> const> terms,
                         weir::UpdateChunk<Real> const& chunk) {
  std::vector<weir::WeightedTerm<Element, weir::HostSpace>> parts;
  for (auto const& term : terms) parts.push_back({term.values.part(chunk.offset, chunk.size), term.weight});
  std::vector<Real> sum(chunk.size);
  using Term = weir::WeightedTerm<Element, weir::HostSpace>;
  sum_weighted(host(), std::span<Term const>(parts), weir::view(sum));
  return sum;
}

template <class Real>
void write_copy(weir::WeightCopies const& copies, weir::UpdateChunk<Real> const& chunk) {
  if constexpr (std::is_same_v<Real, float>) {
    if (copies.by_parameter == nullptr) return;
    weir::visit_element(copies.type, [&]<class Element>(Element*) {
      if constexpr (sizeof(Element) == 2) {
        auto* const to = static_cast<Element*>(copies.by_parameter[chunk.parameter]) + chunk.begin;
        copy(host(), weir::view(static_cast<float const*>(chunk.out), chunk.size),
             weir::view(to, chunk.size));
      }
    });
  }
}

template <class Real>
weir::UpdateChunk<Real> shifted(weir::UpdateList<Real> const& list, std::size_t index) {
  weir::UpdateChunk<Real> chunk = list.chunks[index];
  chunk.weights += list.shift.read;
  chunk.out += list.shift.write;
  return chunk;
}

/// Enqueues an update of a whole list: `update(chunk, gradient)` for each chunk that is not skipped. The list
/// is read at the call too, to know what will be accessed: it has to be there by then.
template <class Element, class Real, class Update>
void enqueue_pieces(weir::CudaExecutor const& executor, char const* name, weir::UpdateList<Real> const& list,
                    std::span<weir::WeightedTerm<Element, weir::DeviceSpace> const> terms,
                    std::vector<weir::DeviceView<Real>> const& moments, weir::OptimizerState const* state,
                    weir::GradientScale scale, Update update) {
  weir::detail::Arguments const arguments(name);
  arguments.not_null("state", state);
  if (terms.empty() || terms.size() > weir::most_update_terms)
    arguments.refuse("there are " + std::to_string(terms.size()) + " terms, 1 to 8 are possible");
  std::vector<Access> accesses{reads(state), reads(list.chunks, list.count)};
  if (scale.control != nullptr) accesses.push_back(reads(scale.control));
  std::vector<weir::WeightedTerm<Element, weir::HostSpace>> read;
  for (auto const& term : terms) {
    arguments.same_size("a term", term.values.size(), "the bucket", list.elements);
    read.push_back({on_host(term.values), term.weight});
    accesses.push_back(reads(term.values));
  }
  for (auto const& moment : moments) {
    if (moment.empty()) continue;
    arguments.same_size("a moment", moment.size(), "the bucket", list.elements);
    accesses.push_back(reads(moment));
    accesses.push_back(writes(moment));
  }
  for (std::size_t i = 0; i < list.count; ++i) {
    weir::UpdateChunk<Real> const chunk = shifted(list, i);
    accesses.push_back(reads(chunk.weights, chunk.size));
    accesses.push_back(writes(chunk.out, chunk.size));
    if (list.used != nullptr) accesses.push_back(reads(list.used + chunk.parameter));
    if (list.copies.by_parameter == nullptr) continue;
    accesses.push_back(reads(list.copies.by_parameter + chunk.parameter));
    auto* const copy = static_cast<std::uint16_t*>(list.copies.by_parameter[chunk.parameter]);
    accesses.push_back(writes(copy + chunk.begin, chunk.size));
  }
  enqueue(executor, name, std::move(accesses), [=] {
    for (std::size_t i = 0; i < list.count; ++i) {
      weir::UpdateChunk<Real> const chunk = shifted(list, i);
      bool const is_used = list.used == nullptr || list.used[chunk.parameter] != 0;
      if (scale.skip() || !is_used) {
        copy(host(), weir::view(chunk.weights, chunk.size), weir::view(chunk.out, chunk.size));
      } else {
        update(chunk, sum_of<Element>(std::span(read), chunk));
      }
      write_copy(list.copies, chunk);
    }
  });
}

}  // namespace stand_in

namespace weir::inline v1 {

template <class Element, std::floating_point Real>
requires UpdateTerm<Element, Real>
void sgd_update_pieces(CudaExecutor const& executor, UpdateList<Real> const& list,
                       std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                       std::type_identity_t<DeviceView<Real>> velocity, SgdConstants constants,
                       OptimizerState const* state, GradientScale scale) {
  stand_in::Inside const inside;
  auto const update = [=](UpdateChunk<Real> const& chunk, std::vector<Real> const& gradient) {
    HostView<Real> const moment =
        stand_in::on_host(velocity.empty() ? velocity : velocity.part(chunk.offset, chunk.size));
    sgd_update(stand_in::host(), view(chunk.weights, chunk.size), view(chunk.out, chunk.size), view(gradient),
               moment, constants, state, scale);
  };
  stand_in::enqueue_pieces<Element, Real>(executor, "sgd_update_pieces", list, terms, {velocity}, state,
                                          scale, update);
}

template <class Element, std::floating_point Real>
requires UpdateTerm<Element, Real>
void adamw_update_pieces(CudaExecutor const& executor, UpdateList<Real> const& list,
                         std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                         std::type_identity_t<DeviceView<Real>> first_moment,
                         std::type_identity_t<DeviceView<Real>> second_moment, AdamConstants constants,
                         OptimizerState const* state, GradientScale scale) {
  stand_in::Inside const inside;
  auto const update = [=](UpdateChunk<Real> const& chunk, std::vector<Real> const& gradient) {
    HostView<Real> const first = stand_in::on_host(first_moment.part(chunk.offset, chunk.size));
    HostView<Real> const second = stand_in::on_host(second_moment.part(chunk.offset, chunk.size));
    adamw_update(stand_in::host(), view(chunk.weights, chunk.size), view(chunk.out, chunk.size),
                 view(gradient), first, second, constants, state, scale);
  };
  stand_in::enqueue_pieces<Element, Real>(executor, "adamw_update_pieces", list, terms,
                                          {first_moment, second_moment}, state, scale, update);
}

}  // namespace weir::inline v1
