#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

/// An affine or projective geometry by its parameters.
struct Geometry {
  bool is_affine = false;
  std::uint32_t order = 0;
  std::uint32_t dimension = 0;

  /// Points on a hyperplane: the row degree.
  constexpr std::uint64_t block_size() const {
    std::uint64_t size = 0;
    std::uint64_t power = 1;
    for (std::uint32_t i = 0; i < dimension; ++i, power *= order) size = is_affine ? power : size + power;
    return size;
  }
  /// Hyperplanes on which two points lie.
  constexpr std::uint64_t lambda() const {
    return is_affine ? (block_size() - 1) / (order - 1) : (block_size() - 1) / order;
  }
  constexpr char const* name() const {
    if (dimension == 2) return is_affine ? "affine-plane" : "projective-plane";
    return is_affine ? "affine-geometry" : "projective-geometry";
  }

  friend constexpr bool operator==(Geometry const&, Geometry const&) = default;
};

/// The geometries whose hyperplanes are the outputs and whose points are the inputs, those of the smallest
/// dimension first. Hardly ever more than one.
inline std::vector<Geometry> geometries_of_shape(std::uint64_t outputs, std::uint64_t inputs) {
  std::vector<Geometry> found;
  constexpr std::uint64_t limit = 0xffff'ffff;
  if (inputs > limit || outputs < inputs) return found;
  for (std::uint64_t q = detail::integer_root(inputs); q >= 2; --q) {
    if (!prime_power(q)) continue;
    std::uint64_t power = q;
    std::uint64_t points = 1 + q;
    for (std::uint32_t dimension = 2; power <= inputs / q; ++dimension) {
      power *= q;
      points += power;
      bool const fits_affine = power == inputs && outputs == points - 1;
      bool const fits_projective =
          points == inputs && outputs == inputs && detail::limited_power(q, dimension + 1, limit) <= limit;
      if (fits_affine || fits_projective)
        found.push_back({fits_affine, static_cast<std::uint32_t>(q), dimension});
    }
  }
  return found;
}

}  // namespace weir::inline v1
