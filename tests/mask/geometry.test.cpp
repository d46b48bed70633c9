#include "weir/mask/geometry.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/mask/prime_power.hpp"

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

TEST_CASE("geometries_of_shape: of all shapes up to 200 x 200 those of the formulas, and no others") {
  std::vector<std::vector<std::size_t>> wanted(201, std::vector<std::size_t>(201));
  for (std::uint64_t q = 2; q <= 200; ++q) {
    if (!weir::prime_power(q)) continue;
    std::uint64_t affine = q, points = 1 + q;  // q^n, and the points of the projective geometry
    for (std::uint64_t n = 2; affine * q <= 200; ++n) {
      std::uint64_t const hyperplanes = q * points;
      affine *= q;
      points += affine;
      if (hyperplanes <= 200) ++wanted[hyperplanes][affine];
      if (points <= 200) ++wanted[points][points];
    }
  }
  std::size_t found = 0;
  bool is_right = true;
  for (std::uint64_t outputs = 1; outputs <= 200; ++outputs) {
    for (std::uint64_t inputs = 1; inputs <= 200; ++inputs) {
      is_right = is_right && geometries_of_shape(outputs, inputs).size() == wanted[outputs][inputs];
      found += wanted[outputs][inputs];
    }
  }
  CHECK(is_right);
  CHECK(found > 15);
}

TEST_CASE("Geometry: its name is that of the plane in dimension 2") {
  CHECK(std::string(Geometry{true, 4, 2}.name()) == "affine-plane");
  CHECK(std::string(Geometry{false, 4, 2}.name()) == "projective-plane");
  CHECK(std::string(Geometry{true, 4, 3}.name()) == "affine-geometry");
  CHECK(std::string(Geometry{false, 4, 3}.name()) == "projective-geometry");
}
