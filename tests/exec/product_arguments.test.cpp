#include "weir/exec/product_arguments.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/core/error.hpp"
#include "weir/exec/group_layout.hpp"

namespace {

using weir::detail::Arguments;

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
}
