#include "weir/host/kernels/multiply_cyclic.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "fault/sanitizers.hpp"
#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/host/kernels/multiply_gathered.hpp"
#include "weir/mask/design/cyclic.hpp"

namespace {

using weir::BatchOrder;
using weir_test::Batch;

/// Every third, and both ends: 0 leads to the row's own column, the last one to its neighbour.
weir::CyclicDesign some_design(std::uint32_t order) {
  std::vector<std::uint32_t> differences = {0};
  for (std::uint32_t d = 2; d + 1 < order; d += 1 + weir::philox({{d, 0, 0, 0}}, order)[0] % 5) {
    differences.push_back(d);
  }
  differences.push_back(order - 1);
  return weir::CyclicDesign(order, differences);
}

/// The same product by both kernels, this one with vectors of `Bytes`.
template <bool Transposed, int Bytes, class Element>
void check_same_bits(std::uint32_t order, std::size_t samples, BatchOrder batch_order, std::size_t threads) {
  CAPTURE(order);
  CAPTURE(samples);
  CAPTURE(Transposed);
  CAPTURE(Bytes);
  using Real = weir::AccumulatorOf<Element>;
  auto const design = some_design(order);
  auto const layout = design.layout();
  auto const values = weir_test::random_values<Element>(layout, 1);
  Batch<Element> x(samples, order, batch_order, 3), y(samples, order, batch_order, 1);
  weir_test::fill_batch(x, 2);
  auto wanted = y;
  std::vector<Real> bias(order);
  for (std::size_t i = 0; i < order; ++i) bias[i] = static_cast<Real>(i % 7) - 3;
  weir::ProductEpilogue<Real> const epilogue{bias.data(), weir::Activation::relu};

  using Kernel = weir::detail::MultiplyCyclic<Element, Element, Element, Transposed>;
  REQUIRE(Kernel::takes(layout));
  auto const parts = Kernel::parts_of(layout, samples, threads);
  run_parts<Bytes>(Kernel{layout, values.data(), x.constant(), y.view(), epilogue, parts}, parts.count());

  using Gathered = weir::detail::MultiplyGathered<Element, Element, Element>;
  auto const entries = weir::detail::entries_of<Transposed>(layout);
  auto const all = Gathered::parts_of(entries, samples, 1);
  run_parts<0>(Gathered{entries, values.data(), x.constant(), wanted.view(), epilogue, all}, all.count());
  bool is_same = true;
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t f = 0; f < order; ++f) is_same = is_same && y(i, f) == wanted(i, f);
  }
  CHECK(is_same);
}

template <int Bytes, class Element>
void check_sizes() {
  for (std::uint32_t const order : {16u, 17u, 73u, 133u, 300u, 1057u}) {
    for (std::size_t const samples : {1u, 3u, 8u, 21u}) {
      if ((UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER) && order > 300 && samples != 3)
        continue;  // which is slow
      for (auto batch_order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
        check_same_bits<false, Bytes, Element>(order, samples, batch_order, 1);
        check_same_bits<true, Bytes, Element>(order, samples, batch_order, 3);
      }
    }
  }
}

TEST_CASE("cyclic products have the bits of gathered ones, for every width of vectors and type") {
  check_sizes<0, float>();
  check_sizes<0, double>();
  check_sizes<0, weir::bfloat16>();
  check_sizes<16, float>();
#if defined(__x86_64__)
  if (weir::detail::has_avx2_and_fma()) check_sizes<32, float>();
#endif
}

TEST_CASE("an infinity reaches only the outputs that have an entry for it") {
  auto const design = some_design(133);
  auto const layout = design.layout();
  auto const values = weir_test::random_values<float>(layout, 1);
  for (std::size_t const bad : {0u, 1u, 70u, 131u, 132u}) {
    CAPTURE(bad);
    Batch<float> x(9, 133, BatchOrder::batch_major), y(9, 133, x.order), dx(9, 133, x.order);
    weir_test::fill_batch(x, 2);
    for (std::size_t i = 0; i < 9; ++i) x.view()(i, bad) = std::numeric_limits<float>::infinity();
    using Kernel = weir::detail::MultiplyCyclic<float, float, float, false>;
    using Transposed = weir::detail::MultiplyCyclic<float, float, float, true>;
    auto const parts = Kernel::parts_of(layout, 9, 1);
    run_parts<0>(Kernel{layout, values.data(), x.constant(), y.view(), {}, parts}, parts.count());
    run_parts<0>(Transposed{layout, values.data(), x.constant(), dx.view(), {}, parts}, parts.count());
    for (std::size_t at = 0; at < 133; ++at) {
      CHECK(std::isfinite(y(4, at)) == !layout.contains(at, bad));
      CHECK(std::isfinite(dx(8, at)) == !layout.contains(bad, at));
    }
  }
}

TEST_CASE("orders below a vector, and designs without entries, are left to others") {
  using Kernel = weir::detail::MultiplyCyclic<float, float, float, false>;
  CHECK_FALSE(Kernel::takes(weir::CyclicDesign(15, {1, 2}).layout()));
  CHECK_FALSE(Kernel::takes(weir::CyclicDesign(64, {}).layout()));
}

}  // namespace
