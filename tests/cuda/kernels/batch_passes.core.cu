#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/batch_passes.cuh"

using weir::BatchOrder;
using weir::GradientMode;
using weir::detail::LaneShape;

TEST_CASE("samples are summed feature by feature, or added to what is there") {
  for (auto order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
    for (std::size_t samples : {0u, 1u, 70u}) {
      for (LaneShape shape : {LaneShape{32, 4}, LaneShape{8, 16}}) {
        weir_test::Batch<weir::half> batch(samples, 45, order, 3);
        weir_test::fill_batch(batch, 1);
        std::vector<double> sum(45, 3.0), expected(45);
        for (std::size_t f = 0; f < 45; ++f) {
          for (std::size_t i = 0; i < samples; ++i) expected[f] += batch(i, f);
        }
        weir::detail::SumSamples<weir::half, double> operation{play::there(batch.constant()), sum.data(),
                                                               GradientMode::overwrite, shape};
        play::blocks(operation, shape.threads(), decltype(operation)::shared_bytes);
        for (std::size_t f = 0; f < 45; ++f) CHECK(sum[f] == doctest::Approx(expected[f]).epsilon(1e-12));
        operation.mode = GradientMode::accumulate;
        play::blocks(operation, shape.threads(), decltype(operation)::shared_bytes);
        for (std::size_t f = 0; f < 45; ++f) CHECK(sum[f] == doctest::Approx(2 * expected[f]).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("sums of many samples of one sign lose no more than short ones") {
  constexpr std::size_t samples = 100'000;
  weir_test::Batch<float> batch(samples, 3, BatchOrder::batch_major);
  for (float& element : batch.elements) element = 0.7f;
  std::vector<float> sum(3);
  weir::detail::SumSamples<float, float> const operation{
      play::there(batch.constant()), sum.data(), GradientMode::overwrite, {4, 16}};
  play::blocks(operation, operation.shape.threads(), decltype(operation)::shared_bytes);
  for (float const one : sum) CHECK(one == doctest::Approx(samples * double{0.7f}).epsilon(1e-5));
}

TEST_CASE("a gradient passes where the output was above zero") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  float const numbers[] = {1, 0, -1, nan, 0.5f, -0.0f};
  for (auto order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
    for (LaneShape shape : {LaneShape{32, 2}, LaneShape{4, 16}}) {
      weir_test::Batch<float> y(9, 37, BatchOrder::batch_major, 2), dy(9, 37, order, 5);
      for (std::size_t i = 0; i < 9; ++i) {
        for (std::size_t f = 0; f < 37; ++f) {
          y.view()(i, f) = numbers[(i + f) % 6];
          dy.view()(i, f) = 2;
        }
      }
      weir::detail::GateGradient<float, float> const operation{play::there(y.constant()),
                                                               play::there(dy.view()), shape};
      play::blocks(operation, shape.threads(), decltype(operation)::shared_bytes);
      for (std::size_t i = 0; i < 9; ++i) {
        for (std::size_t f = 0; f < 37; ++f) CHECK(dy(i, f) == (numbers[(i + f) % 6] > 0 ? 2 : 0));
      }
    }
  }
}

TEST_CASE("only live elements of a dense matrix are kept") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    auto const check = [](auto const& layout) {
      std::vector<float> matrix(layout.outputs() * layout.inputs(), 5.0f), expected(matrix.size(), 0.0f);
      weir_test::for_each_entry(layout, [&](std::size_t row, std::size_t column, std::size_t) {
        expected[row * layout.inputs() + column] = 5.0f;
      });
      weir::detail::ClearDead<float> const operation{
          weir::detail::EntryTable::of(layout), matrix.data(), {64, 4}};
      play::blocks(operation, 256, decltype(operation)::shared_bytes);
      CHECK(matrix == expected);
    };
    play::each_entry_layout(seed, check);
    check(play::group_design(seed).layout());
  }
}
