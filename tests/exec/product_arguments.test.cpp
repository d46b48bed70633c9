#include "weir/exec/product_arguments.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/group_layout.hpp"

namespace {

using namespace weir::detail;

static_assert(weir::detail::is_tiled<weir::TiledLayout<weir::GroupLayout>>);
static_assert(!weir::detail::is_tiled<weir::GroupLayout>);

template <class Function>
std::string refusal(Function const& f) {
  try {
    f();
  } catch (weir::ContractViolation const& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a batch has the mask's features, and lines that do not overlap") {
  float data[12] = {};
  Arguments const arguments("verb");
  auto const check = [&](auto const& batch) {
    return refusal([&] { check_batch(arguments, "x", batch, "inputs", 3); });
  };
  CHECK(check(weir::batch_major(data, 4, 3)) == "");
  CHECK(check(weir::feature_major(data, 4, 3)) == "");
  CHECK(check(weir::batch_major(data, 3, 4)) ==
        "verb: x has 4 features and the mask 3 inputs, they must be equally many");
  CHECK(check(weir::batch_major(data, 4, 3, 2)) == "verb: the stride of x is 2, it must be at least 3");
  CHECK(check(weir::batch_major(data, 1, 3, 2)) == "");  // of one line there is no next
  CHECK(weir::detail::memory_of(weir::batch_major(data, 4, 2, 3)).size() == 11);
}

TEST_CASE("pixels are batch-major and as many as the shape says, and the kernel fits") {
  float data[24] = {};
  Arguments const arguments("verb");
  CHECK(refusal([&] {
          check_pixels(arguments, "x", weir::feature_major(data, 8, 3), 8, "inputs", 3);
        }).find("x is feature-major") != std::string::npos);
  CHECK(refusal([&] {
          check_pixels(arguments, "x", weir::batch_major(data, 8, 3), 9, "inputs", 3);
        }).find("the shape 9") != std::string::npos);
  CHECK(refusal([&] { check_shape(arguments, {1, 4, 4, 3, 3, 1, 0, 1}); }) == "");
  CHECK(refusal([&] {
          check_shape(arguments, {1, 4, 4, 3, 3, 0, 0, 1});
        }).find("at least 1") != std::string::npos);
  CHECK(refusal([&] {
          check_shape(arguments, {1, 4, 4, 5, 3, 1, 0, 1});
        }) == "verb: a kernel of 5 x 3 does not fit an image of 4 x 4");
  CHECK(refusal([&] {
          check_shape(arguments, {1, 4, 4, 3, 3, 1, 0, 1u << 31});
        }) == "verb: a kernel of 3 x 3 does not fit an image of 4 x 4");
  CHECK(refusal([&] {
          check_shape(arguments, {1, 4, 4, 3, 3, 1, 1u << 31, 1});
        }) == "verb: the padding is 2147483648, with it a side must have at most 2^32 - 1 pixels");
  CHECK(refusal([&] {
          check_shape(arguments, {1, 1u << 16, 1u << 16, 1u << 16, 1u << 16, 1, 0, 1});
        }) == "verb: a kernel of 65536 x 65536, it must have at most 2^32 - 1 taps");
}

TEST_CASE("what a product writes, and a convolution too, lies apart from all that it reads") {
  constexpr std::uint32_t fano[] = {0, 1, 3};
  weir::CyclicLayout const layout = {7, 3, fano};
  weir::ConvolutionShape const shape = {1, 2, 2};
  float data[21 + 2 * 28] = {};
  auto const values = [&](std::size_t at) { return weir::TensorView<float, weir::HostSpace>(data + at, 21); };
  auto const batch = [&](std::size_t at) { return weir::batch_major(data + at, 4, 7); };
  // Each of the three begins where it is said; the result is that of a product and of a convolution.
  auto const forward = [&](std::size_t weights, std::size_t x, std::size_t y) {
    std::string const product =
        refusal([&] { check_multiply_masked(layout, values(weights), batch(x), batch(y)); });
    std::string const convolution =
        refusal([&] { check_convolve_masked(layout, shape, values(weights), batch(x), batch(y)); });
    return product + "|" + convolution;
  };
  CHECK(forward(0, 21, 49) == "|");
  CHECK(
      forward(0, 21, 48) ==
      "multiply_masked: y overlaps x, they must be apart|convolve_masked: y overlaps x, they must be apart");
  CHECK(forward(0, 48, 20) ==
        "multiply_masked: y overlaps the values, they must be apart|"
        "convolve_masked: y overlaps the values, they must be apart");
  CHECK(forward(0, 0, 49) == "|");  // what is only read may lie anywhere
  auto const back = [&](std::size_t weights, std::size_t dy, std::size_t dx) {
    std::string const product =
        refusal([&] { check_multiply_masked_transposed(layout, values(weights), batch(dy), batch(dx)); });
    std::string const convolution = refusal(
        [&] { check_convolve_masked_transposed(layout, shape, values(weights), batch(dy), batch(dx)); });
    return product + "|" + convolution;
  };
  CHECK(back(0, 21, 49) == "|");
  CHECK(back(0, 21, 48) ==
        "multiply_masked_transposed: dx overlaps dy, they must be apart|"
        "convolve_masked_transposed: dx overlaps dy, they must be apart");
  CHECK(back(0, 48, 20) ==
        "multiply_masked_transposed: dx overlaps the values, they must be apart|"
        "convolve_masked_transposed: dx overlaps the values, they must be apart");
  auto const gradient = [&](std::size_t weights, std::size_t dy, std::size_t x) {
    std::string const product =
        refusal([&] { check_masked_weight_gradient(layout, values(weights), batch(dy), batch(x)); });
    std::string const convolution = refusal(
        [&] { check_masked_convolution_gradient(layout, shape, values(weights), batch(dy), batch(x)); });
    return product + "|" + convolution;
  };
  CHECK(gradient(0, 21, 49) == "|");
  CHECK(gradient(0, 20, 49) ==
        "masked_weight_gradient: the gradient overlaps dy, they must be apart|"
        "masked_convolution_gradient: the gradient overlaps dy, they must be apart");
  CHECK(gradient(0, 49, 20) ==
        "masked_weight_gradient: the gradient overlaps x, they must be apart|"
        "masked_convolution_gradient: the gradient overlaps x, they must be apart");
  CHECK(gradient(0, 30, 30) == "|");
}
