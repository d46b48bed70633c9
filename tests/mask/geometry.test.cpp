#include "weir/mask/geometry.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using weir::geometries_of_shape;
using weir::Geometry;

static_assert(Geometry{true, 4, 3}.block_size() == 16);
static_assert(Geometry{false, 4, 3}.block_size() == 21);
static_assert(Geometry{true, 4, 2}.lambda() == 1 && Geometry{true, 4, 3}.lambda() == 5);
static_assert(Geometry{false, 4, 2}.lambda() == 1 && Geometry{false, 4, 3}.lambda() == 5);
static_assert(Geometry{false, 2, 4}.lambda() == 7);

}  // namespace

TEST_CASE("geometries_of_shape: exactly the shapes of geometries") {
  CHECK(geometries_of_shape(20, 16) == std::vector{Geometry{true, 4, 2}});
  CHECK(geometries_of_shape(30, 16) == std::vector{Geometry{true, 2, 4}});
  CHECK(geometries_of_shape(84, 64) == std::vector{Geometry{true, 4, 3}});
  CHECK(geometries_of_shape(7, 7) == std::vector{Geometry{false, 2, 2}});
  CHECK(geometries_of_shape(85, 85) == std::vector{Geometry{false, 4, 3}});
  CHECK(geometries_of_shape(31, 31) == std::vector{Geometry{false, 5, 2}, Geometry{false, 2, 4}});
  for (auto const& [outputs, inputs] :
       {std::pair{42, 36}, {20, 17}, {16, 20}, {43, 43}, {1, 1}, {2, 2}, {3, 3}, {3, 2}})
    CHECK(
        geometries_of_shape(static_cast<std::uint64_t>(outputs), static_cast<std::uint64_t>(inputs)).empty());
}

TEST_CASE("Geometry: its name is that of the plane in dimension 2") {
  CHECK(std::string(Geometry{true, 4, 2}.name()) == "affine-plane");
  CHECK(std::string(Geometry{false, 4, 2}.name()) == "projective-plane");
  CHECK(std::string(Geometry{true, 4, 3}.name()) == "affine-geometry");
  CHECK(std::string(Geometry{false, 4, 3}.name()) == "projective-geometry");
}
