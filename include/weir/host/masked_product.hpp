#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "weir/exec/arguments.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/exec/product_arguments.hpp"
#include "weir/host/executor.hpp"

// After the executor, which includes this file at its end.
#include "weir/host/kernels/fill.hpp"
#include "weir/host/kernels/gradient_cyclic.hpp"
#include "weir/host/kernels/gradient_gathered.hpp"
#include "weir/host/kernels/gradient_group.hpp"
#include "weir/host/kernels/gradient_tiles.hpp"
#include "weir/host/kernels/multiply_cyclic.hpp"
#include "weir/host/kernels/multiply_gathered.hpp"
#include "weir/host/kernels/multiply_group.hpp"
#include "weir/host/kernels/multiply_group_once.hpp"
#include "weir/host/kernels/multiply_tiles.hpp"
#include "weir/host/kernels/visit_entries.hpp"
#include "weir/host/sweep.hpp"

// Products with a matrix of which only live entries exist. Streams: the work runs on the stream's thread and
// is shared by the executor's team; nothing is allocated. Sums have a fixed order and are fused multiply-adds
// in float, or double for double: the same bits for any number of threads, and for a sample in any
// batch-major batch. Outputs of designs by groups, and gradients of values of cyclic designs and of lists,
// are added up lane by lane: processors with other vectors, and batches in the other order, give other last
// bits. A thread needs some 260 KiB of stack. Only live entries are multiplied: an infinity that meets a dead
// one leaves no trace. Errors: `ContractViolation` at the call, for sizes that do not belong together and
// memory in common.

namespace weir::inline v1 {

template <class Element>
using HostBatch = BatchView<Element, HostSpace>;

namespace detail {

/// y = x W^T, or dx = dy W.
template <bool Transposed, class Layout, class Value, class In, class Out>
void multiply_with_mask(ThreadTeam& team, Layout const& layout, Value const* values,
                        SampleSource<In> const& in, HostBatch<Out> const& out,
                        ProductEpilogue<AccumulatorOf<Value>> const& epilogue) {
  std::size_t const samples = in.samples;
  if (samples == 0) return;
  if constexpr (std::is_same_v<Layout, GroupLayout>) {
    if constexpr (Transposed) {
      using Once = MultiplyGroupOnce<Value, In, Out>;
      if (Once::takes(layout, in)) {
        auto const parts = Once::parts_of(layout, team.size());
        return multiply_parts(team, parts.count(), Once{layout, values, in, out, epilogue, parts});
      }
    }
    using Kernel = MultiplyGroup<Value, In, Out, Transposed>;
    if ((in.is_batch_major() || samples >= 8) && Kernel::takes(layout)) {
      auto const parts = Kernel::parts_of(layout, samples, team.size());
      return multiply_parts(team, parts.count(), Kernel{layout, values, in, out, epilogue, parts});
    }
  }
  if constexpr (is_tiled<Layout>) {
    using Kernel = MultiplyTiles<Value, In, Out, Transposed>;
    auto const tiles = entries_of<Transposed>(layout.grid);
    if (Kernel::takes(layout.block) && Kernel::takes(tiles)) {
      auto const parts = Kernel::parts_of(tiles, layout.block, samples, team.size());
      return multiply_parts(team, parts.count(),
                            Kernel{tiles, layout.block, values, in, out, epilogue, parts});
    }
  }
  if constexpr (std::is_same_v<Layout, CyclicLayout>) {
    using Kernel = MultiplyCyclic<Value, In, Out, Transposed>;
    if (Kernel::takes(layout)) {
      auto const parts = Kernel::parts_of(layout, samples, team.size());
      return multiply_parts(team, parts.count(), Kernel{layout, values, in, out, epilogue, parts});
    }
  }
  using Kernel = MultiplyGathered<Value, In, Out>;
  auto const entries = entries_of<Transposed>(layout);
  auto const parts = Kernel::parts_of(entries, samples, team.size());
  multiply_parts(team, parts.count(), Kernel{entries, values, in, out, epilogue, parts});
}

template <class Layout, class In, class Real>
void add_masked_gradient(ThreadTeam& team, Layout const& layout, SampleSource<In> const& dy,
                         SampleSource<In> const& x, std::uint32_t tap, Real* gradient, GradientMode mode) {
  std::size_t const samples = x.samples;
  auto const clear = [&] {
    if (mode == GradientMode::accumulate) return;
    sweep_elementwise(team, layout.value_count(), sizeof(Real), Fill<Real>(gradient, Real{0}));
  };
  if constexpr (std::is_same_v<Layout, GroupLayout>) {
    using Kernel = GradientGroup<In, Real>;
    if (Kernel::takes(layout)) {
      auto const parts = Kernel::parts_of(layout, samples, team.size());
      return multiply_parts(team, parts.count(), Kernel{layout, dy, x, tap, gradient, mode, parts});
    }
  }
  if constexpr (is_tiled<Layout>) {
    using Kernel = GradientTiles<In, Real>;
    auto const tiles = entries_of<false>(layout.grid);
    if (Kernel::takes(layout.block) && Kernel::takes(tiles)) {
      if (layout.grid.nnz() != layout.grid.value_count()) clear();  // tiles of padding
      auto const parts = Kernel::parts_of(tiles, layout.block, samples, team.size());
      return multiply_parts(team, parts.count(),
                            Kernel{tiles, layout.block, dy, x, tap, gradient, mode, parts});
    }
  }
  if constexpr (std::is_same_v<Layout, CyclicLayout>) {
    using Kernel = GradientCyclic<In, Real>;
    if (Kernel::takes(layout) && samples != 0) {
      auto const parts = Kernel::parts_of(layout, samples, team.size());
      return multiply_parts(team, parts.count(), Kernel{layout, dy, x, tap, gradient, mode, parts});
    }
  }
  clear();
  using Kernel = GradientGathered<In, Real>;
  auto const entries = entries_of<false>(layout);
  auto const parts = Kernel::parts_of(entries, samples, team.size());
  multiply_parts(team, parts.count(), Kernel{entries, dy, x, tap, gradient, parts});
}

}  // namespace detail

/// `y = activation(x W^T + bias)`.
///
/// Shapes: x samples x inputs, y samples x outputs, values `value_count()`, bias one per output or null.
/// Cost: nnz times samples multiply-adds; fastest for `GroupLayout` of p = 2, `CyclicLayout` and
/// `TiledLayout` with tiles of a multiple of 16, samples one after another.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked(HostExecutor const& executor, Layout const& layout, HostView<Value> values,
                     HostBatch<In> x, HostBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue = {}) {
  using Element = std::remove_const_t<Value>;
  using Input = std::remove_const_t<In>;
  detail::check_multiply_masked(layout, values, x, y);
  executor.submit([layout, weights = static_cast<Element const*>(values.data()),
                   in = HostBatch<Input const>{x.data, x.samples, x.features, x.stride, x.order}, y,
                   epilogue](HostExecutor const& point) {
    detail::multiply_with_mask<false>(point.team(), layout, weights, detail::SampleSource<Input>(in), y,
                                      epilogue);
  });
}

/// `dx = dy W`, with the same values.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked_transposed(HostExecutor const& executor, Layout const& layout, HostView<Value> values,
                                HostBatch<In> dy, HostBatch<Out> dx) {
  using Element = std::remove_const_t<Value>;
  using Input = std::remove_const_t<In>;
  detail::check_multiply_masked_transposed(layout, values, dy, dx);
  executor.submit([layout, weights = static_cast<Element const*>(values.data()),
                   in = HostBatch<Input const>{dy.data, dy.samples, dy.features, dy.stride, dy.order},
                   dx](HostExecutor const& point) {
    detail::multiply_with_mask<true>(point.team(), layout, weights, detail::SampleSource<Input>(in), dx, {});
  });
}

/// `gradient[e]` becomes, or is increased by, the sum over samples of dy(., row of e) x(., column of e) for
/// each live entry e. Padding becomes zero or stays as it is.
template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_weight_gradient(HostExecutor const& executor, Layout const& layout, HostBatch<In> dy,
                            HostBatch<Other> x, HostView<Real> gradient, GradientMode mode) {
  using Input = std::remove_const_t<In>;
  detail::check_masked_weight_gradient(layout, gradient, dy, x);
  executor.submit([layout,
                   out = HostBatch<Input const>{dy.data, dy.samples, dy.features, dy.stride, dy.order},
                   in = HostBatch<Input const>{x.data, x.samples, x.features, x.stride, x.order}, gradient,
                   mode](HostExecutor const& point) {
    using Source = detail::SampleSource<Input>;
    detail::add_masked_gradient(point.team(), layout, Source(out), Source(in), 0, gradient.data(), mode);
  });
}

}  // namespace weir::inline v1

// Whoever sees the products sees the convolutions.
#include "weir/host/masked_convolution.hpp"
