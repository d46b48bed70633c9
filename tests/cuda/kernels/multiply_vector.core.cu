#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/multiply_vector.cuh"

namespace {

using weir::BatchOrder;
using weir_test::Batch;

template <class Element, int Samples>
void check(weir::GroupDesign const& design, std::uint64_t seed, std::size_t samples, BatchOrder order,
           double tolerance) {
  CAPTURE(seed);
  auto const layout = design.layout();
  CAPTURE(layout.shape.group);
  CAPTURE(layout.shape.levels);
  auto const values = weir_test::random_values<Element>(layout, seed);
  play::Aligned<Element> const aligned(values);
  Batch<Element> x(samples, layout.inputs(), order, seed % 3), y(samples, layout.outputs(), order, 1);
  Batch<Element> dy(samples, layout.outputs(), order, 1), dx(samples, layout.inputs(), order, seed % 2);
  weir_test::fill_batch(x, seed + 1);
  weir_test::fill_batch(dy, seed + 2);
  using Forward = weir::detail::MultiplyVector<Element, Element, Element, false, Samples>;
  using Backward = weir::detail::MultiplyVector<Element, Element, Element, true, Samples>;
  REQUIRE(Forward::takes(layout));
  auto const x_there = play::there(x.constant()), dy_there = play::there(dy.constant());
  Forward const forward{layout,
                        aligned.data,
                        x_there,
                        play::there(y.view()),
                        {},
                        Forward::packs_for(layout),
                        Forward::has_packs(x_there)};
  play::blocks(forward, Forward::threads, Forward::shared_bytes);
  CHECK(largest_error(expected_product(layout, values, x), y) <= tolerance);
  Backward const backward{layout,
                          aligned.data,
                          dy_there,
                          play::there(dx.view()),
                          {},
                          Backward::packs_for(layout),
                          Backward::has_packs(dy_there)};
  play::blocks(backward, Backward::threads, Backward::shared_bytes);
  CHECK(largest_error(expected_transposed(layout, values, dy), dx) <= tolerance);
}

}  // namespace

TEST_CASE("products with few samples are those of the dense matrix") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    play::Draw draw{seed + 5};
    std::uint32_t const n = 8u << draw.below(5);
    std::uint32_t const levels = draw.below(2) == 0 ? 1 : 1 + static_cast<std::uint32_t>(draw.below(n - 1));
    weir::GroupDesign const design{{.outputs = n + draw.below(3 * n),
                                    .inputs = n + draw.below(5 * n),
                                    .group = n,
                                    .levels = levels,
                                    .seed = seed}};
    auto const order = draw.below(3) == 0 ? BatchOrder::feature_major : BatchOrder::batch_major;
    check<float, 1>(design, seed, draw.below(3), order, 1e-6);
    check<float, 4>(design, seed, draw.below(7), order, 1e-6);
    check<double, 1>(design, seed, 1, order, 1e-14);
    check<weir::bfloat16, 2>(design, seed, 5, order, 1e-2);
    check<weir::half, 1>(design, seed, 1, order, 2e-3);
  }
}

TEST_CASE("packs are exchanged within themselves") {
  for (std::uint32_t mask = 0; mask < 16; ++mask) {
    int pack[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    weir::detail::exchange_in_pack(pack, mask);
    for (int i = 0; i < 8; ++i) CHECK(pack[i] == (i ^ static_cast<int>(mask % 8)));
  }
}

TEST_CASE("inputs are read in packs where every one is aligned") {
  using Forward = weir::detail::MultiplyVector<float, float, float, false, 1>;
  play::Aligned<float> const memory(std::vector<float>(64));
  float const* const data = memory.data;
  auto const batch = [&](std::size_t first, std::size_t samples, std::size_t stride) {
    return weir::batch_major<weir::DeviceSpace>(data + first, samples, 16, stride);
  };
  CHECK(Forward::has_packs(batch(0, 3, 20)));
  CHECK(Forward::has_packs(batch(4, 1, 17)));
  CHECK_FALSE(Forward::has_packs(batch(0, 3, 17)));
  CHECK_FALSE(Forward::has_packs(batch(1, 3, 20)));
  CHECK_FALSE(Forward::has_packs(weir::feature_major<weir::DeviceSpace>(data, 3, 16, 4)));
}

TEST_CASE("a block has as many packs as read whole sectors and give each thread a cell") {
  using Forward = weir::detail::MultiplyVector<float, float, float, false, 1>;
  weir::GroupDesign const wide{{.outputs = 1024, .inputs = 1024, .group = 4}};
  CHECK(Forward::packs_for(wide.layout()) == 1);  // its cells lie side by side
  weir::GroupDesign const usual{{.outputs = 4096, .inputs = 4096, .group = 16}};
  CHECK(Forward::packs_for(usual.layout()) == 4);
  weir::GroupDesign const narrow{{.outputs = 1024, .inputs = 1024, .group = 64}};
  CHECK(Forward::packs_for(narrow.layout()) == 16);
}
