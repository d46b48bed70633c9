#include <doctest/doctest.h>

#include "weir/cuda/kernels/tuning.cuh"

using namespace weir::detail;

static_assert(tuning_for(90).loads_in_flight == 8 && tuning_for(80).loads_in_flight == 4);
static_assert(tuning_for(100).leaf_loads_in_flight == tuning_for(90).leaf_loads_in_flight,
              "what comes later is like the latest that is known");

TEST_CASE("the rows whose loads are in flight together divide those of a tile, whatever a row costs") {
  for (int capability : {0, 80, 86, 90, 120}) {
    Tuning const tuning = tuning_for(capability);
    for (int loads = 1; loads < 20; ++loads) {
      int const rows = rows_together(tuning.loads_in_flight, loads, tile_rows(loads));
      CHECK(tile_rows(loads) % rows == 0);
      CHECK((rows == 1 || rows * loads <= tuning.loads_in_flight));
      int const leaf_rows = rows_together(tuning.leaf_loads_in_flight, loads, 64);
      CHECK(64 % leaf_rows == 0);
      CHECK((leaf_rows == 1 || leaf_rows * loads <= tuning.leaf_loads_in_flight));
      CHECK((leaf_rows == 64 || 2 * leaf_rows * loads > tuning.leaf_loads_in_flight));
    }
  }
}
