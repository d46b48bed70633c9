#include "weir/host/kernels/packed_rows.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/masked_reference.hpp"

namespace {

TEST_CASE("rows are packed from both orders, and what is not there is zero") {
  for (auto order : {weir::BatchOrder::batch_major, weir::BatchOrder::feature_major}) {
    weir_test::Batch<weir::bfloat16> batch(5, 19, order, 2);
    weir_test::fill_batch(batch, 1);
    weir::detail::SampleSource<weir::bfloat16> const source(batch.constant());
    std::vector<float> rows(4 * 24, -1.0f);
    weir::detail::pack_rows<float, 4>(source, 0, 2, 4, 3, 15, 20, 24, rows.data());
    for (std::size_t row = 0; row < 4; ++row) {
      for (std::size_t i = 0; i < 24; ++i) {
        double const wanted = i >= 20 ? -1.0 : i >= 15 || row == 3 ? 0.0 : batch(2 + row, 3 + i);
        CHECK(rows[row * 24 + i] == wanted);
      }
    }
  }
}

TEST_CASE("a row that is not there is zero") {
  std::vector<float> row(8, -1.0f);
  weir::detail::pack_row<float, 4>(static_cast<float const*>(nullptr), 5, 7, row.data());
  CHECK(row == std::vector<float>{0, 0, 0, 0, 0, 0, 0, -1});
}

TEST_CASE("the first lanes are loaded and stored alone") {
  float const numbers[] = {1, 2, 3, 4};
  for (std::size_t count = 0; count <= 4; ++count) {
    weir::Lanes<float, 4> lanes;
    weir::detail::load_first<float, 4>(numbers, count, lanes);
    float out[] = {9, 9, 9, 9};
    weir::detail::store_first<float, 4>(lanes, count, out);
    for (std::size_t i = 0; i < 4; ++i) {
      float const lane = lanes[i];
      CHECK(lane == (i < count ? numbers[i] : 0.0f));
      CHECK(out[i] == (i < count ? numbers[i] : 9.0f));
    }
  }
}

}  // namespace
