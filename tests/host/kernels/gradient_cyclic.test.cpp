#include "weir/host/kernels/gradient_cyclic.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fault/sanitizers.hpp"
#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/host/kernels/gradient_gathered.hpp"
#include "weir/mask/design/cyclic.hpp"

namespace {

using weir::BatchOrder;
using weir::GradientMode;

/// The gradient by both kernels with vectors of `Bytes`, in several parts and in one.
template <int Bytes, class Element>
void check_same_bits(std::uint32_t order, std::size_t samples, BatchOrder batch_order) {
  CAPTURE(order);
  CAPTURE(samples);
  CAPTURE(Bytes);
  using Real = weir::AccumulatorOf<Element>;
  std::vector<std::uint32_t> differences = {0};
  for (std::uint32_t d = 1 + order % 4; d + 1 < order; d += d % 3 == 0 ? 1 : 7) differences.push_back(d);
  differences.push_back(order - 1);
  weir::CyclicDesign const design(order, differences);
  auto const layout = design.layout();
  weir_test::Batch<Element> x(samples, order, batch_order, 2), dy(samples, order, batch_order);
  weir_test::fill_batch(x, 2);
  weir_test::fill_batch(dy, 3);
  for (auto mode : {GradientMode::overwrite, GradientMode::accumulate}) {
    std::vector<Real> gradient(layout.value_count(), Real{7}), wanted = gradient;
    if (mode == GradientMode::overwrite) wanted.assign(wanted.size(), Real{0});
    using Kernel = weir::detail::GradientCyclic<Element, Real>;
    REQUIRE(Kernel::takes(layout));
    auto const parts = Kernel::parts_of(layout, samples, mode == GradientMode::overwrite ? 4 : 1);
    run_parts<Bytes>(Kernel{layout, dy.constant(), x.constant(), 0, gradient.data(), mode, parts},
                     parts.count());
    using Gathered = weir::detail::GradientGathered<Element, Real>;
    auto const entries = weir::detail::entries_of<false>(layout);
    auto const all = Gathered::parts_of(entries, samples, 1);
    run_parts<Bytes>(Gathered{entries, dy.constant(), x.constant(), 0, wanted.data(), all}, all.count());
    CHECK(gradient == wanted);
  }
}

template <int Bytes, class Element>
void check_sizes() {
  for (std::uint32_t const order : {16u, 31u, 73u, 250u, 531u, 907u}) {
    for (std::size_t const samples : {1u, 7u, 64u, 90u}) {
      bool const is_slow = order > (UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER ? 100 : 600);
      if (is_slow && samples != 7) continue;
      check_same_bits<Bytes, Element>(order, samples, BatchOrder::batch_major);
      check_same_bits<Bytes, Element>(order, samples, BatchOrder::feature_major);
    }
  }
}

TEST_CASE("gradients of cyclic designs have the bits of gathered ones, for every width of vectors and type") {
  check_sizes<0, float>();
  check_sizes<0, double>();
  check_sizes<0, weir::bfloat16>();
  check_sizes<16, float>();
#if defined(__x86_64__)
  if (weir::detail::has_avx2_and_fma()) check_sizes<32, float>();
#endif
}

}  // namespace
