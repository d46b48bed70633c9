#include "weir/host/kernels/finish_outputs.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <vector>

namespace {

TEST_CASE("bias and activation come before rounding, and only what is there is written") {
  float const bias[] = {0, 0, 1, -5, 0, 0};
  for (bool by_sample : {true, false}) {
    std::vector<weir::half> out(12, weir::half(7.0f));
    auto const batch =
        by_sample ? weir::batch_major(out.data(), 2, 6) : weir::feature_major(out.data(), 2, 6);
    weir::Lanes<float, 4> sum = {2, 3, -1, std::numeric_limits<float>::quiet_NaN()};
    weir::detail::finish_outputs<float, 4>({bias, weir::Activation::relu}, 2, 3, sum, batch, 1);
    CHECK(float{batch(1, 2)} == 3.0f);
    CHECK(float{batch(1, 3)} == 0.0f);
    CHECK(float{batch(1, 4)} == 0.0f);
    float const last = sum[3];
    CHECK(last != last);
    CHECK(float{batch(1, 5)} == 7.0f);
    CHECK(float{batch(0, 2)} == 7.0f);
  }
}

}  // namespace
