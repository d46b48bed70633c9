#include "weir/host/masked_convolution.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/mask/design/group.hpp"

namespace {

// What convolutions compute is held against their definition in tests/mask/conv2d.test.cpp.

TEST_CASE("a row of ones is summed by a kernel of ones, but for the edges") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 4, .inputs = 4, .group = 2}};
  auto const layout = design.layout();
  weir::ConvolutionShape const shape{.width = 5, .kernel_width = 3, .padding = 1};
  weir::ConvolutionShape const flat{.width = 5, .kernel_width = 3};
  std::vector<float> const values(3 * layout.value_count(), 1.0f), x(5 * 4, 1.0f);
  std::vector<float> y(3 * 4);
  convolve_masked(exec, layout, flat, weir::view(values), weir::batch_major(x.data(), 5, 4),
                  weir::batch_major(y.data(), 3, 4));
  exec.synchronize();
  for (float value : y) CHECK(value == 6.0f);  // two live inputs, three taps
  CHECK(shape.output_height() == 3);           // padding is on both axes
}

TEST_CASE("shapes and sizes that do not belong together are refused") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 4, .inputs = 4, .group = 2}};
  auto const layout = design.layout();
  std::vector<float> const values(layout.value_count()), x(20);
  std::vector<float> y(20);
  auto const convolve = [&](weir::ConvolutionShape shape, std::size_t pixels) {
    convolve_masked(exec, layout, shape, weir::view(values), weir::batch_major(x.data(), 5, 4),
                    weir::batch_major(y.data(), pixels, 4));
  };
  convolve({.width = 5}, 5);
  CHECK_THROWS_WITH_AS(convolve({.width = 5, .kernel_width = 6}, 5),
                       "convolve_masked: a kernel of 1 x 6 does not fit an image of 1 x 5",
                       weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 5, .stride = 0}, 5), weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 5}, 4), weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 4}, 4), weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 5, .kernel_width = 2}, 4), weir::ContractViolation);  // the values
  exec.synchronize();
}

}  // namespace
