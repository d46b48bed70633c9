#include "weir/mask/spectrum.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/complement.hpp"
#include "weir/mask/design/dual.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/legacy_iddl.hpp"
#include "weir/mask/design/random.hpp"
#include "weir/mask/design/random_biregular.hpp"
#include "weir/mask/design/tiled.hpp"
#include "weir/mask/fixed_family.hpp"

namespace {

using weir::GroupDesign;
using weir::singular_values;
using weir::SingularValues;

/// The two largest singular values by Jacobi's method on M^T M: slow, and another way than the library's.
template <class D>
SingularValues by_jacobi(D const& design) {
  std::vector<std::uint8_t> const matrix = matrix_of(design);
  std::size_t const n = design.inputs();
  std::vector<double> a(n * n);
  for (std::size_t r = 0; r < design.outputs(); ++r) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) a[i * n + j] += matrix[r * n + i] * matrix[r * n + j];
    }
  }
  for (int sweep = 0; sweep < 12; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (std::fabs(a[p * n + q]) < 1e-12) continue;
        double const theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
        double const t = (theta < 0 ? -1 : 1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        double const c = 1 / std::sqrt(t * t + 1);
        double const s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          double const x = a[k * n + p], y = a[k * n + q];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (std::size_t k = 0; k < n; ++k) {
          double const x = a[p * n + k], y = a[q * n + k];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
        }
      }
    }
  }
  double first = 0, second = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double const value = a[i * n + i];
    if (value > first) {
      second = first;
      first = value;
    } else if (value > second) {
      second = value;
    }
  }
  return {std::sqrt(first), std::sqrt(second < 1e-9 ? 0 : second)};
}

template <class D>
void check_against_jacobi(D const& design) {
  SingularValues const expected = by_jacobi(design);
  SingularValues const values = singular_values(design);
  CHECK(values.first == doctest::Approx(expected.first).epsilon(1e-7));
  CHECK(values.second == doctest::Approx(expected.second).epsilon(1e-6));
}

}  // namespace

TEST_CASE("singular_values: a dense eigenvalue solver finds the same") {
  check_against_jacobi(weir::AffineGeometry(7));
  check_against_jacobi(weir::random_mask(50, 40, 300, 1));
  check_against_jacobi(weir::random_mask(20, 60, 300, 2));
  check_against_jacobi(weir::random_biregular(64, 48, 6, 1));
  check_against_jacobi(weir::legacy_iddl(42, 36));
  check_against_jacobi(weir::legacy_iddl(16, 60));
  for (std::uint32_t levels = 1; levels < 8; ++levels) {
    CAPTURE(levels);
    check_against_jacobi(GroupDesign{{64, 48, 8, levels, 3}});
    check_against_jacobi(GroupDesign{{61, 45, 8, levels, 3}});
  }
  check_against_jacobi(GroupDesign{{45, 36, 9}});
  check_against_jacobi(GroupDesign{{20, 30, 1}});
  check_against_jacobi(GroupDesign{{1, 7, 1}});
  check_against_jacobi(weir::TiledDesign(GroupDesign{{6, 8, 2}}, 55, 75, 10));
  check_against_jacobi(weir::TiledDesign(GroupDesign{{6, 8, 2}}, 60, 80, 10));
}

TEST_CASE("singular_values: a first value that repeats is the second, too") {
  CHECK(singular_values(GroupDesign{{16, 784, 16}}).second == doctest::Approx(7));
  CHECK(singular_values(weir::random_biregular(60, 60, 1, 1)).second == doctest::Approx(1));
}

TEST_CASE("singular_values: a full mask of tiles that are cut has no second one") {
  for (std::uint32_t block = 2; block < 8; ++block) {
    CAPTURE(block);
    for (std::size_t outputs = 1; outputs < 50; outputs += 1 + outputs / 10) {
      for (std::size_t inputs = 1; inputs < 50; inputs += 1 + inputs / 10) {
        CAPTURE(outputs);
        CAPTURE(inputs);
        GroupDesign const grid{{(outputs + block - 1) / block, (inputs + block - 1) / block, 1}};
        SingularValues const values = singular_values(weir::TiledDesign(grid, outputs, inputs, block));
        REQUIRE(values.first == doctest::Approx(std::sqrt(outputs * inputs)));
        REQUIRE(values.second == 0);
      }
    }
  }
}

TEST_CASE("singular_values: a second one that is small beside the first is found") {
  // All entries but one: M has rank 2, so that the trace and a determinant of M^T M tell both values.
  for (std::size_t const side : {40u, 400u, 2000u}) {
    CAPTURE(side);
    auto const design = weir::complement(weir::random_mask(side, side, 1, 1));
    auto const n = static_cast<double>(side);
    double const trace = n * n - 1, determinant = (n - 1) * (n - 1);
    double const larger = (trace + std::sqrt(trace * trace - 4 * determinant)) / 2;
    CHECK(singular_values(design).second == doctest::Approx(std::sqrt(determinant / larger)).epsilon(1e-4));
  }
}

TEST_CASE("singular_values: known values") {
  auto const sigma2 = [](auto const& design) { return singular_values(design).second; };
  auto const about = [](double value) { return doctest::Approx(value).epsilon(1e-5); };
  CHECK(sigma2(GroupDesign{{64, 64, 8}}) == about(2.828427));
  CHECK(sigma2(GroupDesign{{512, 512, 32}}) == about(5.65542));
  CHECK(sigma2(GroupDesign{{1024, 512, 32}}) == about(5.656854));
  CHECK(sigma2(GroupDesign{{768, 768, 16}}) == about(8));
  CHECK(sigma2(GroupDesign{{4096, 4096, 64}}) == about(8));
  CHECK(sigma2(GroupDesign{{11008, 4096, 256}}) == about(10.5171));
  CHECK(sigma2(GroupDesign{{100, 100, 8}}) == about(4));
  CHECK(sigma2(GroupDesign{{64, 64, 4, 3}}) == about(4));
  CHECK(sigma2(weir::AffineGeometry(8, 3)) == about(8));
  CHECK(sigma2(weir::TiledDesign(GroupDesign{{16, 16, 8}}, 1024, 1024, 64)) == about(128));
  CHECK(sigma2(weir::TiledDesign(GroupDesign{{16, 16, 4}}, 512, 512, 32)) == about(64));
  CHECK(sigma2(weir::legacy_iddl(64, 64)) == doctest::Approx(5.657).epsilon(1e-4));
  CHECK(sigma2(weir::legacy_iddl(128, 128)) == doctest::Approx(7.486).epsilon(1e-4));
  CHECK(sigma2(weir::legacy_iddl(256, 256)) == doctest::Approx(11.314).epsilon(1e-4));
  CHECK(sigma2(weir::legacy_iddl(512, 256)) == doctest::Approx(15.492).epsilon(1e-4));
}

namespace {

/// The square of the second singular value is at least this where all rows have as many entries, and all
/// columns: the mean of all squares but the first.
template <class D>
double least_square(D const& design) {
  auto const outputs = static_cast<double>(design.outputs()), inputs = static_cast<double>(design.inputs());
  auto const r = static_cast<double>(design.column_degree(0)), k = static_cast<double>(design.row_degree(0));
  return outputs >= inputs ? r * (inputs - k) / (inputs - 1) : k * (outputs - r) / (outputs - 1);
}

template <class D>
bool has_constant_degrees(D const& design) {
  weir::DegreeRange const rows = weir::row_degrees(design), columns = weir::column_degrees(design);
  return rows.least == rows.most && columns.least == columns.most;
}

template <class D>
bool is_block_design(D const& design) {
  return weir::certify(design) != weir::DesignParameters{};
}

template <class D>
void check_at_bound(D const& design) {
  REQUIRE(has_constant_degrees(design));
  SingularValues const values = singular_values(design);
  auto const first = static_cast<double>(design.row_degree(0) * design.column_degree(0));
  CHECK(values.first * values.first == doctest::Approx(first).epsilon(1e-6));
  CHECK(values.second * values.second == doctest::Approx(least_square(design)).epsilon(1e-6));
}

/// Neither the design nor its dual is a block design.
template <class D>
void check_beyond_bound(D const& design) {
  CAPTURE(design.outputs());
  CAPTURE(design.inputs());
  REQUIRE(has_constant_degrees(design));
  CHECK_FALSE(is_block_design(design));
  CHECK_FALSE(is_block_design(weir::dual(design)));
  double const second = singular_values(design).second;
  CHECK(second * second > 1.001 * least_square(design));
}

}  // namespace

TEST_CASE("singular_values: the second of block designs, and of their duals, is the least there is") {
  struct {
    char const* name;
    weir::FamilyParameters given;
  } const members[] = {{"affine-plane", {4}},
                       {"affine-plane", {9}},
                       {"projective-plane", {3}},
                       {"projective-plane", {8}},
                       {"affine-geometry", {3, 3}},
                       {"affine-geometry", {2, 5}},
                       {"projective-geometry", {2, 4}},
                       {"projective-geometry", {4, 3}},
                       {"steiner-triple", {0, 0, 13}},
                       {"steiner-triple", {0, 0, 33}},
                       {"paley", {19}},
                       {"paley", {27}},
                       {"twin-prime", {3}},
                       {"twin-prime", {7}},
                       {"quartic-residue", {37}},
                       {"quartic-residue", {109}},
                       {"derived-of:paley", {23}},
                       {"derived-of:projective-geometry", {3, 3}},
                       {"residual-of:twin-prime", {5}},
                       {"residual-of:projective-plane", {5}}};
  for (auto const& member : members) {
    for (std::string const prefix : {"", "complement-of:"}) {
      CAPTURE(prefix);
      CAPTURE(member.name);
      weir::FixedDesign const made = weir::make_fixed_design(prefix + member.name, member.given);
      weir::DesignParameters const& p = made.parameters;
      CHECK(is_block_design(made.design));
      check_at_bound(made.design);
      auto const excess = static_cast<double>(p.r - p.lambda);
      CHECK(least_square(made.design) == doctest::Approx(excess));
      auto const turned = weir::dual(made.design);
      CHECK(is_block_design(turned) == (p.b == p.v));
      check_at_bound(turned);
      CHECK(least_square(turned) == doctest::Approx(excess));
    }
  }
}

TEST_CASE("singular_values: the second of masks that are no block designs is greater than theirs would be") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    check_beyond_bound(weir::random_biregular(20, 16, 4, seed));
    check_beyond_bound(weir::random_biregular(16, 20, 5, seed));
    check_beyond_bound(weir::random_biregular(64, 64, 8, seed));
    check_beyond_bound(weir::random_biregular(64, 64, 50, seed));
    check_beyond_bound(weir::random_biregular(120, 60, 7, seed));
    check_beyond_bound(weir::random_biregular(60, 120, 14, seed));
    check_beyond_bound(GroupDesign{{64, 64, 8, 1, seed}});
    check_beyond_bound(GroupDesign{{64, 64, 8, 7, seed}});
    check_beyond_bound(GroupDesign{{64, 64, 8, 3, seed}});
    check_beyond_bound(GroupDesign{{81, 81, 9, 1, seed}});
    check_beyond_bound(GroupDesign{{96, 48, 8, 1, seed}});
    check_beyond_bound(GroupDesign{{48, 96, 8, 1, seed}});
  }
}

TEST_CASE("singular_values: the second of random masks is greater than the mean of all but the first") {
  auto const check = [](auto const& design) {
    CAPTURE(design.outputs());
    CAPTURE(design.inputs());
    std::size_t const side = std::min(design.outputs(), design.inputs());
    SingularValues const values = singular_values(design);
    double const rest = static_cast<double>(design.nnz()) - values.first * values.first;
    CHECK(values.second * values.second > 1.2 * rest / static_cast<double>(side - 1));
  };
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    check(weir::random_mask(20, 16, 80, seed));
    check(weir::random_mask(64, 64, 512, seed));
    check(weir::random_mask(120, 60, 3000, seed));
    check(weir::random_mask(60, 120, 3000, seed));
  }
}
