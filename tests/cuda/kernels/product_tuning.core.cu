#include <doctest/doctest.h>

#include <cstddef>

#include "weir/cuda/kernels/product_tuning.cuh"

using namespace weir::detail;

static_assert(product_tuning_for(90, 90).stages == 3 && product_tuning_for(103, 90).stages == 3 &&
              product_tuning_for(80, 80).stages == 2 && product_tuning_for(89, 80).stages == 2);
static_assert(product_tuning_for(120, 120).stages == 2);  // its blocks have 99 KB
static_assert(product_tuning_for(75, 75).stages == 0 && product_tuning_for(90, 75).stages == 0);
static_assert(newest_code_for(1000) >= 75 && newest_code_for(10) <= 10);
static_assert(lane_shape(4096, 2048, 16, 512, 264).threads() == 512);
static_assert(lane_shape(4096, 1, 16, 512, 264).lanes == 64 && lane_shape(4096, 1, 16, 512, 264).teams == 1);
static_assert(line_shape(64, 256).lanes == 64 && line_shape(64, 256).teams == 4);
static_assert(line_shape(1000, 256).lanes == 256 && line_shape(0, 256).lanes == 1);

TEST_CASE("blocks are whole warps within what there is room for") {
  for (std::size_t outputs : {1u, 31u, 64u, 100u, 4096u}) {
    for (std::size_t samples : {1u, 17u, 512u, 100'000u}) {
      LaneShape const shape = lane_shape(outputs, samples, 16, 512, 264);
      CHECK(shape.threads() % 32 == 0);
      CHECK(shape.threads() <= 512);
      CHECK(shape.teams * 16 <= 256);
      CHECK((shape.teams == 1 || (shape.teams / 2) * 16 < samples));
      for (std::size_t chunks : {1u, 8u, 300u}) {
        for (unsigned most_teams : {1u, 8u, 16u}) {
          LaneShape const other = gradient_shape(outputs, chunks, most_teams, 512, 264);
          CHECK(other.threads() % 32 == 0);
          CHECK(other.threads() <= 512);
          CHECK(other.teams <= most_teams);
        }
      }
    }
  }
}
