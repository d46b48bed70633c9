#include "weir/mask/bibd_mask.hpp"

#include <doctest/doctest.h>

#include <type_traits>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"

namespace {

using weir::BIBDMask;
using weir::GroupDesign;

static_assert(weir::Design<BIBDMask<>>);
static_assert(std::is_same_v<decltype(BIBDMask{GroupDesign{{64, 64, 8}}}), BIBDMask<GroupDesign>>);

}  // namespace

TEST_CASE("BIBDMask: options choose the design at run time") {
  BIBDMask const mask{{.outputs = 512, .inputs = 784, .density = 0.1, .seed = 3}};
  static_assert(std::is_same_v<decltype(mask), BIBDMask<weir::AnyDesign> const>);
  CHECK(mask.family() == "hadamard-group");
  CHECK(mask.options().seed == 3);
  CHECK(mask.outputs() == 512);
  CHECK(mask.inputs() == 784);
  CHECK(mask.density() == doctest::Approx(3.0 / 32));
  bool visited = false;
  mask.visit([&](auto const& layout) { visited = layout.value_count() == mask.value_count(); });
  CHECK(visited);
  CHECK(BIBDMask{{.outputs = 20, .inputs = 16}}.family() == "affine-plane");
}

TEST_CASE("BIBDMask: a design is taken as it is") {
  BIBDMask const mask{GroupDesign{{29, 43, 8, 3}}};
  CHECK(matrix_of(mask) == matrix_of(GroupDesign{{29, 43, 8, 3}}));
  CHECK(mask.family() == "custom");
  mask.visit([](auto const& layout) { CHECK(std::is_same_v<decltype(layout), weir::GroupLayout const&>); });
  BIBDMask const plane{weir::AffineGeometry(4)};
  plane.visit([](auto const& design) { CHECK(design.contains(0, 0)); });
}

TEST_CASE("BIBDMask: options that no mask has are refused") {
  CHECK_THROWS_WITH_AS(BIBDMask({.family = "affine-plane", .order = 6}),
                       "order 6: not a prime power (nearest: 5, 7)", weir::ContractViolation);
  CHECK_THROWS_AS(BIBDMask({.outputs = 4}), weir::ContractViolation);
}
