#include "weir/compress/decompress.hpp"

#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <vector>

#include "support/bound_context.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using E = weir::HostExecutor;

static_assert(std::same_as<decltype(weir::ThresholdSparsifier{{.density = 0.5}} | weir::Sgd{{}}),
                           weir::Recipe<weir::ThresholdSparsifier<>, weir::Decompress, weir::Sgd>>);

}

TEST_CASE("selected elements become a dense gradient, of which the rest is 0") {
  BoundContext bound;
  std::vector<float> dense = {9, 9, 9, 9, 9};
  std::vector<std::uint32_t> indices = {1, 4, 77};
  std::vector<float> values = {-2, 3, 77};
  std::uint64_t counts[2] = {2, 5};
  weir::SparseGradient<E> sparse{.executor = bound.home,
                                 .indices = weir::view(indices),
                                 .values = weir::view(values),
                                 .count = counts,
                                 .dense = weir::view(dense),
                                 .bucket = 1,
                                 .samples = 6,
                                 .step = {.number = 3},
                                 .scale = {0.5, nullptr}};
  auto decompress = weir::Decompress{}.on(bound.context());
  weir::DenseGradient<E> const gradient = decompress(sparse);
  bound.home.synchronize();
  CHECK(dense == std::vector<float>{0, -2, 0, 0, 3});
  CHECK(gradient.values.data() == dense.data());
  CHECK(gradient.values.size() == 5);
  CHECK(gradient.pending.count == 0);
  CHECK(gradient.used == nullptr);
  CHECK(gradient.bucket == 1);
  CHECK(gradient.samples == 6);
  CHECK(gradient.step.number == 3);
  CHECK(gradient.scale.value == 0.5);

  sparse.is_whole = true;  // then all of it is there already
  (void)decompress(sparse);
  bound.home.synchronize();
  CHECK(dense == std::vector<float>{0, -2, 0, 0, 3});
}
