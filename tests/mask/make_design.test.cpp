#include "weir/mask/make_design.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/lambda_histogram.hpp"
#include "weir/mask/spectrum.hpp"

namespace {

using weir::DegreeRange;
using weir::make_design;
using weir::MaskOptions;

void check_refused(MaskOptions const& options, std::string const& text) {
  CHECK_THROWS_WITH_AS(make_design(options), text.c_str(), weir::ContractViolation);
}

std::string family_of(MaskOptions const& options) {
  return make_design(options).family;
}

}  // namespace

TEST_CASE("make_design: auto takes the geometry of exactly this shape") {
  CHECK(family_of({.outputs = 20, .inputs = 16}) == "affine-plane");
  CHECK(family_of({.outputs = 84, .inputs = 64}) == "affine-geometry");
  CHECK(family_of({.outputs = 85, .inputs = 85}) == "projective-geometry");
  CHECK(family_of({.outputs = 31, .inputs = 31}) == "projective-plane");
  CHECK(family_of({.outputs = 31, .inputs = 31, .density = 0.5}) == "projective-geometry");
  CHECK(family_of({.outputs = 31, .inputs = 31, .row_degree = 15}) == "projective-geometry");
  CHECK(family_of({.outputs = 31, .inputs = 31, .density = 0.9}) == "hadamard-group");
  CHECK(family_of({.outputs = 16, .inputs = 20}) == "hadamard-group");
  CHECK(weir::certify(make_design({.outputs = 30, .inputs = 25}).design) ==
        weir::DesignParameters{25, 30, 6, 5, 1});
}

TEST_CASE("make_design: a family is what it is named, and a complement that of what was taken") {
  CHECK(family_of({.family = "hadamard-group", .outputs = 20, .inputs = 16}) == "hadamard-group");
  CHECK(weir::certify(make_design({.family = "hadamard-group", .outputs = 20, .inputs = 16}).design) ==
        weir::DesignParameters{});
  CHECK(family_of({.family = "complement-of:auto", .outputs = 20, .inputs = 16}) ==
        "complement-of:affine-plane");
  CHECK(family_of({.family = "complement-of:complement-of:auto", .outputs = 42, .inputs = 36}) ==
        "complement-of:complement-of:hadamard-group");
}

TEST_CASE("make_design: a net of any shape lets no two inputs meet twice") {
  for (std::uint64_t const n : {2u, 3u, 4u, 5u, 7u, 8u, 9u}) {
    for (std::size_t groups = 1; groups <= n; ++groups) {
      for (std::size_t classes = 1; classes <= n; ++classes) {
        auto const net =
            make_design({.family = "net", .outputs = classes * n, .inputs = groups * n, .order = n});
        CAPTURE(n);
        CAPTURE(groups);
        CAPTURE(classes);
        CHECK(weir::lambda_histogram(net.design).back().meetings <= 1);
      }
    }
  }
}

TEST_CASE("make_design: auto elsewhere goes by the rules for any shape") {
  auto const rows_and_columns = [](MaskOptions const& options, DegreeRange rows, DegreeRange columns) {
    auto const made = make_design(options);
    CHECK(made.family == "hadamard-group");
    CHECK(weir::row_degrees(made.design) == rows);
    CHECK(weir::column_degrees(made.design) == columns);
  };
  rows_and_columns({.outputs = 42, .inputs = 36}, {9, 9}, {10, 11});
  rows_and_columns({.outputs = 16, .inputs = 784}, {49, 49}, {1, 1});
  rows_and_columns({.outputs = 512, .inputs = 512}, {32, 32}, {32, 32});
  rows_and_columns({.outputs = 512, .inputs = 512, .density = 0.1}, {48, 48}, {48, 48});
  rows_and_columns({.outputs = 512, .inputs = 512, .row_degree = 48}, {48, 48}, {48, 48});
  rows_and_columns({.outputs = 64, .inputs = 64, .density = 0.75}, {48, 48}, {48, 48});
  rows_and_columns({.outputs = 5, .inputs = 7, .density = 1}, {7, 7}, {5, 5});
}

TEST_CASE("make_design: auto without a density stands beside the prototype's masks") {
  struct {
    std::size_t outputs, inputs, nnz, of_legacy;
    double sigma2;
  } const known[] = {{64, 64, 512, 512, 2.828427},
                     {128, 128, 2048, 1364, 4},
                     {256, 256, 4096, 4096, 4},
                     {512, 256, 8192, 8192, 5.656854}};
  for (auto const& shape : known) {
    MaskOptions options = {.outputs = shape.outputs, .inputs = shape.inputs};
    CAPTURE(shape.outputs);
    auto const design = make_design(options).design;
    CHECK(design.nnz() == shape.nnz);
    CHECK(weir::singular_values(design).second == doctest::Approx(shape.sigma2).epsilon(1e-4));
    options.family = "legacy-iddl";
    CHECK(make_design(options).design.nnz() == shape.of_legacy);
  }
}

TEST_CASE("make_design: with a block size the rules act on the grid of tiles") {
  auto const design = make_design({.outputs = 4096, .inputs = 4096, .density = 0.125, .block = 64}).design;
  CHECK(weir::row_degrees(design) == DegreeRange{512, 512});
  CHECK(weir::column_degrees(design) == DegreeRange{512, 512});
  CHECK(design.block() == 64);
  CHECK(
      make_design({.outputs = 4096, .inputs = 4096, .row_degree = 1024, .block = 128}).design.row_degree(0) ==
      1024);
  CHECK(fault_of(make_design({.outputs = 100, .inputs = 130, .density = 0.25, .block = 15}).design) == "");
  CHECK(make_design({.family = "random", .outputs = 128, .inputs = 256, .density = 0.25, .block = 16})
            .design.nnz() == 128 * 256 / 4);
}

TEST_CASE(
    "make_design: tiles are at most as large as the larger side, and all live where they make up one line") {
  for (std::uint32_t const block : {60u, 99u, 100u}) {
    CAPTURE(block);
    auto const design = make_design({.outputs = 60, .inputs = 100, .density = 0.25, .block = block}).design;
    CHECK(design.nnz() == 60 * 100);
  }
  check_refused({.outputs = 60, .inputs = 100, .density = 0.25, .block = 101},
                "block-size 101: greater than 100, the larger side (nearest: 100)");
  check_refused({.outputs = 100, .inputs = 60, .density = 0.25, .block = 5000},
                "block-size 5000: greater than 100, the larger side (nearest: 100)");
  check_refused({.outputs = 100, .inputs = 100, .block = 0xffff'ffff},
                "block-size 4294967295: greater than 100, the larger side (nearest: 100)");
  for (char const* const family : {"hadamard-group", "random", "random-biregular", "complement-of:random"})
    check_refused({.family = family, .outputs = 1, .inputs = 7, .density = 0.25, .block = 8},
                  "block-size 8: greater than 7, the larger side (nearest: 7)");
  CHECK(make_design({.family = "affine-plane", .order = 2, .block = 5000}).design.inputs() == 20'000);
}

TEST_CASE("make_design: a transposed shape gives the dual") {
  MaskOptions options = {.family = "affine-plane", .outputs = 20, .inputs = 16, .order = 4};
  auto const plane = make_design(options).design;
  options.outputs = 16;
  options.inputs = 20;
  auto const turned = make_design(options).design;
  for (std::size_t r = 0; r < 20; ++r) {
    for (std::size_t c = 0; c < 16; ++c) CHECK(turned.contains(c, r) == plane.contains(r, c));
  }
  CHECK(make_design({.family = "steiner-triple", .outputs = 13, .inputs = 26}).design.row_degree(0) == 6);
  options.inputs = 21;
  check_refused(options,
                "inputs 21: the design has 20 outputs and 16 inputs, its dual 16 outputs and 20 inputs");
}

TEST_CASE("make_design: hadamard-group and net by order") {
  CHECK(make_design({.family = "hadamard-group", .order = 8, .lambda = 2}).design.inputs() == 128);
  CHECK(make_design({.family = "net", .order = 4}).design.outputs() == 16);
  CHECK(make_design({.family = "hadamard-group", .outputs = 64, .inputs = 64, .density = 0.4, .order = 8})
            .design.nnz() == 64 * 64 * 3 / 8);
  CHECK(make_design({.family = "hadamard-group", .outputs = 81, .inputs = 81, .density = 0.9, .order = 9})
            .design.nnz() == 81 * 72);
  CHECK(make_design({.family = "complement-of:net", .order = 4}).design.row_degree(0) == 12);
  check_refused({.family = "hadamard-group", .order = 8, .lambda = 3},
                "lambda 3: with order 8 a power of 2 would be right (nearest: 2, 4)");
  check_refused({.family = "hadamard-group", .order = 8},
                "outputs: they are missing; hadamard-group needs both sides, or lambda");
  check_refused({.family = "hadamard-group", .outputs = 64, .inputs = 64, .order = 8, .lambda = 2},
                "lambda 2: that of the design is 1");
  check_refused({.family = "hadamard-group", .outputs = 16, .inputs = 784, .order = 32},
                "order 32: at most 16 goes into 16 x 784 (nearest: 16)");
  check_refused({.family = "hadamard-group", .outputs = 81, .inputs = 81, .density = 0.5, .order = 9},
                "order 9: only densities 1/9 and 8/9 are possible; for others a power of two would be right "
                "(nearest: 8, 16)");
  check_refused({.family = "net", .outputs = 30, .inputs = 30, .order = 5},
                "order 5: a net has at most 25 outputs and inputs (nearest: 7)");
}

TEST_CASE("make_design: random masks with the entries or degrees asked for") {
  CHECK(make_design({.family = "random", .outputs = 50, .inputs = 30, .density = 0.33}).design.nnz() == 495);
  CHECK(make_design({.family = "random", .outputs = 50, .inputs = 30, .row_degree = 7}).design.nnz() == 350);
  CHECK(make_design({.family = "random", .outputs = 50, .inputs = 30, .nnz = 77}).design.nnz() == 77);
  CHECK(make_design({.family = "random-biregular", .outputs = 50, .inputs = 30, .density = 0.33})
            .design.row_degree(3) == 10);
  CHECK(make_design({.family = "legacy-iddl", .outputs = 16, .inputs = 784}).design.nnz() == 448);
}

TEST_CASE("make_design: copies of uncut designs have the same degrees, meetings and singular values") {
  MaskOptions const members[] = {{.outputs = 84, .inputs = 64, .density = 0.25},
                                 {.family = "hadamard-group", .order = 8, .lambda = 1},
                                 {.family = "hadamard-group", .order = 4, .lambda = 4},
                                 {.family = "complement-of:hadamard-group", .order = 8, .lambda = 1},
                                 {.family = "net", .order = 7},
                                 {.family = "affine-plane", .order = 5},
                                 {.family = "affine-plane", .outputs = 16, .inputs = 20, .order = 4},
                                 {.family = "projective-plane", .order = 5},
                                 {.family = "affine-geometry", .order = 3, .dimension = 3},
                                 {.family = "projective-geometry", .order = 2, .dimension = 4},
                                 {.family = "steiner-triple", .inputs = 15},
                                 {.family = "paley", .order = 19},
                                 {.family = "paley", .order = 27},
                                 {.family = "twin-prime", .order = 3},
                                 {.family = "twin-prime", .order = 7},
                                 {.family = "quartic-residue", .order = 37},
                                 {.family = "complement-of:paley", .order = 11},
                                 {.family = "derived-of:paley", .order = 11},
                                 {.family = "residual-of:projective-plane", .order = 4}};
  for (MaskOptions options : members) {
    CAPTURE(options.family);
    CAPTURE(options.order);
    auto const canonical = make_design(options).design;
    auto const values = weir::singular_values(canonical);
    for (std::uint64_t const seed : {1u, 5u, 998u}) {
      CAPTURE(seed);
      options.seed = seed;
      auto const copy = make_design(options).design;
      CHECK(matrix_of(copy) != matrix_of(canonical));
      CHECK(weir::row_degrees(copy) == weir::row_degrees(canonical));
      CHECK(weir::column_degrees(copy) == weir::column_degrees(canonical));
      CHECK(weir::lambda_histogram(copy) == weir::lambda_histogram(canonical));
      auto const of_copy = weir::singular_values(copy);
      CHECK(of_copy.first == doctest::Approx(values.first).epsilon(1e-6));
      CHECK(of_copy.second == doctest::Approx(values.second).epsilon(1e-6));
    }
  }
}

TEST_CASE("make_design: copies of cut group designs keep the degrees and the bound") {
  MaskOptions options = {.family = "hadamard-group", .outputs = 61, .inputs = 83, .order = 8};
  auto const canonical = make_design(options).design;
  for (std::uint64_t seed = 1; seed < 8; ++seed) {
    options.seed = seed;
    auto const copy = make_design(options).design;
    CHECK(matrix_of(copy) != matrix_of(canonical));
    CHECK(weir::row_degrees(copy) == DegreeRange{10, 11});
    CHECK(weir::column_degrees(copy) == DegreeRange{7, 8});
    CHECK(weir::singular_values(copy).second <= 4 * (1 + 1e-6));
  }
}

TEST_CASE("make_design: masks are the same everywhere, with levels, permuted, cyclic and by chance") {
  struct {
    MaskOptions options;
    std::uint32_t crc;
  } const known[] = {
      {{.outputs = 64, .inputs = 64, .density = 0.375}, 0xe1420af6},
      {{.outputs = 64, .inputs = 64, .density = 0.375, .seed = 5}, 0x2a13fa21},
      {{.outputs = 61, .inputs = 83, .density = 0.3, .seed = 1}, 0x2c81f0c3},
      {{.family = "hadamard-group", .outputs = 61, .inputs = 83, .density = 0.625, .order = 16}, 0x813b737d},
      {{.family = "hadamard-group", .outputs = 300, .inputs = 280, .density = 0.02, .order = 256, .seed = 2},
       0x906a8814},
      {{.family = "hadamard-group", .outputs = 600, .inputs = 520, .density = 0.01, .order = 512, .seed = 2},
       0x3175159e},
      {{.family = "hadamard-group", .outputs = 100, .inputs = 70, .density = 0.9, .order = 9}, 0x6117ce57},
      {{.outputs = 100, .inputs = 130, .density = 0.25, .block = 15, .seed = 1}, 0x244c0f31},
      {{.family = "affine-plane", .order = 4, .seed = 1}, 0x2e523da0},
      {{.family = "affine-geometry", .order = 3, .dimension = 3, .seed = 999}, 0xaf9f35ee},
      {{.family = "steiner-triple", .inputs = 13, .seed = 2}, 0x4df9d327},
      {{.family = "paley", .order = 27, .seed = 3}, 0x2b960e2d},
      {{.family = "residual-of:paley", .order = 11, .seed = 4}, 0xe1dc207a},
      {{.family = "projective-plane", .order = 5}, 0x587e08f4},
      {{.family = "projective-plane", .order = 5, .seed = 1}, 0xe8437285},
      {{.family = "complement-of:projective-plane", .order = 5, .seed = 1}, 0x6562e93b},
      {{.family = "paley", .order = 19, .seed = 7}, 0x2b149e30},
      {{.family = "quartic-residue", .order = 37, .seed = 5}, 0x1d4d00c2},
      {{.family = "twin-prime", .order = 3, .seed = 2}, 0x5900258b},
      {{.family = "random", .outputs = 40, .inputs = 90, .density = 0.1, .seed = 3}, 0xda7a5b7e},
      {{.family = "random-biregular", .outputs = 40, .inputs = 90, .density = 0.1, .seed = 3}, 0xd88846b6},
  };
  for (auto const& mask : known) {
    CAPTURE(mask.options.family);
    CAPTURE(mask.options.order);
    CAPTURE(mask.options.seed);
    CHECK(crc32(make_design(mask.options).design) == mask.crc);
  }
}

TEST_CASE("make_design: an option that the family has no use for is refused, with the families that do") {
  std::string const has_order =
      "has no use for it; leaving it out, or one of affine-plane, projective-plane, affine-geometry, "
      "projective-geometry, paley, twin-prime, quartic-residue, net, hadamard-group, would be right";
  check_refused({.outputs = 16, .inputs = 16, .order = 6}, "order 6: family auto " + has_order);
  check_refused({.family = "random", .outputs = 16, .inputs = 16, .density = 0.5, .order = 6},
                "order 6: family random " + has_order);
  check_refused({.family = "random-biregular", .outputs = 16, .inputs = 16, .density = 0.5, .order = 4},
                "order 4: family random-biregular " + has_order);
  check_refused({.family = "legacy-iddl", .outputs = 16, .inputs = 16, .order = 4},
                "order 4: family legacy-iddl " + has_order);
  check_refused({.family = "steiner-triple", .inputs = 13, .order = 6},
                "order 6: family steiner-triple " + has_order);
  check_refused({.family = "complement-of:auto", .outputs = 16, .inputs = 16, .order = 4},
                "order 4: family auto " + has_order);

  std::string const has_dimension =
      "has no use for it; leaving it out, or one of affine-plane, projective-plane, affine-geometry, "
      "projective-geometry, would be right";
  check_refused({.outputs = 16, .inputs = 16, .dimension = 9}, "dimension 9: family auto " + has_dimension);
  check_refused({.family = "residual-of:paley", .order = 7, .dimension = 5},
                "dimension 5: family paley " + has_dimension);
  check_refused({.family = "hadamard-group", .outputs = 16, .inputs = 16, .order = 4, .dimension = 2},
                "dimension 2: family hadamard-group " + has_dimension);

  check_refused({.outputs = 16, .inputs = 16, .nnz = 3},
                "nnz 3: family auto has no use for it; leaving it out, or one of random, would be right");
  check_refused({.family = "random", .outputs = 16, .inputs = 16, .density = 0.5, .nnz = 3},
                "nnz 3: beside a density; one of the two would be right");
  check_refused({.family = "random", .outputs = 16, .inputs = 16, .row_degree = 2, .nnz = 3},
                "nnz 3: beside a row degree; one of the two would be right");
  std::string const has_density =
      "family legacy-iddl has no use for it; leaving it out, or one of auto, hadamard-group, random, "
      "random-biregular, would be right";
  check_refused({.family = "legacy-iddl", .outputs = 16, .inputs = 16, .density = 0.9},
                "density 0.900000: " + has_density);
  check_refused({.family = "legacy-iddl", .outputs = 16, .inputs = 16, .row_degree = 3},
                "row-degree 3: " + has_density);
}

TEST_CASE("make_design: what is too large is refused, with the nearest that is not") {
  check_refused({.family = "net", .order = 65536}, "order 65536: too large (nearest: 65521)");
  check_refused({.family = "net", .order = 65535}, "order 65535: not a prime power (nearest: 65521)");
  check_refused({.family = "legacy-iddl", .outputs = 16, .inputs = std::size_t{1} << 33},
                "inputs 8589934592: at most 4294967295 would be right");
  check_refused(
      {.family = "hadamard-group", .outputs = 4, .inputs = std::size_t{0xffff'ffff} * 2, .order = 2},
      "order 2: its field for 4 x 8589934590 would have more than 2^32 - 1 elements; a larger order "
      "would be right");
  check_refused({.family = "hadamard-group", .order = 65536, .lambda = 2},
                "order 65536: too large (nearest: 32768)");
  check_refused({.family = "hadamard-group", .order = 4096, .lambda = 4096},
                "lambda 4096: too large with order 4096 (nearest: 128)");
  check_refused({.family = "hadamard-group", .order = 4, .lambda = std::uint64_t{1} << 62},
                "lambda 4611686018427387904: too large with order 4 (nearest: 134217728)");
  check_refused({.family = "projective-plane", .order = 2048},
                "order 2048: too large for a design of dimension 2 (nearest: 1621)");
  for (char const* const name : {"affine-plane", "projective-plane"}) {
    check_refused({.family = name, .order = 1'000'000'000'000},
                  "order 1000000000000: too large for a design of dimension 2 (nearest: 1621)");
  }
  check_refused({.family = "affine-plane", .order = 2048},
                "order 2048: too large for a design of dimension 2 (nearest: 1621)");
  check_refused({.family = "affine-geometry", .order = 2, .dimension = ~std::uint64_t{0}},
                "dimension 18446744073709551615: too large with order 2 (nearest: 16)");
  check_refused({.family = "legacy-iddl", .outputs = 2'000'000'000, .inputs = 1'000'000},
                "outputs 2000000000: at most 4294967 would be right, for 2^32 - 1 entries");
  check_refused(
      {.family = "complement-of:legacy-iddl", .outputs = 100'000, .inputs = 100'000},
      "family complement-of:legacy-iddl: the complement would have 9968454186 entries; at most 2^32 "
      "- 1 would be right");
  for (char const* const family : {"random", "random-biregular"}) {
    check_refused({.family = std::string("complement-of:") + family,
                   .outputs = 100'000,
                   .inputs = 100'000,
                   .row_degree = 10},
                  std::string("family complement-of:") + family +
                      ": the complement would have 9999000000 entries; at most 2^32 - 1 would be right");
  }
  for (char const* const family : {"random", "random-biregular"}) {
    check_refused({.family = family, .outputs = 100'000, .inputs = 100'000, .density = 0.5},
                  "density 0.500000: at most 0.429496 would be right, for 2^32 - 1 entries");
    check_refused({.family = family, .outputs = 100'000, .inputs = 100'000, .row_degree = 50'000},
                  "row-degree 50000: at most 42949 would be right, for 2^32 - 1 entries");
  }
}

TEST_CASE("make_design: derived and residual designs of the triples of 7 points, by their points or sides") {
  for (char const* const family : {"residual-of:steiner-triple", "derived-of:complement-of:steiner-triple",
                                   "residual-of:complement-of:steiner-triple"}) {
    CAPTURE(family);
    bool const has_four = std::string(family) != "residual-of:complement-of:steiner-triple";
    std::size_t const inputs = has_four ? 4 : 3;
    weir::DesignParameters const expected =
        has_four ? weir::DesignParameters{4, 6, 3, 2, 1} : weir::DesignParameters{3, 6, 4, 2, 2};
    for (std::uint64_t const seed : {0u, 3u}) {
      CHECK(weir::certify(make_design({.family = family, .inputs = 7, .seed = seed}).design) == expected);
      CHECK(weir::certify(make_design({.family = family, .inputs = inputs, .seed = seed}).design) ==
            expected);
    }
    CHECK(weir::certify(make_design({.family = family, .outputs = 6, .inputs = 7}).design) == expected);
    CHECK(weir::certify(make_design({.family = family, .outputs = 6, .inputs = inputs}).design) == expected);
    CHECK(make_design({.family = family, .outputs = inputs, .inputs = 6}).design.inputs() == 6);
    auto const tiles = make_design({.family = family, .inputs = 14, .block = 2}).design;
    CHECK(tiles.outputs() == 12);
    CHECK(tiles.inputs() == 2 * inputs);
    CHECK(make_design({.family = family, .outputs = 11, .inputs = 2 * inputs - 1, .block = 2})
              .design.outputs() == 11);
    check_refused({.family = family, .inputs = 9},
                  "family " + std::string(family) +
                      ": the design has 12 outputs and 9 inputs; a symmetric one, with as many, would be "
                      "right");
    std::string const sides = std::to_string(inputs);
    check_refused({.family = family, .inputs = 12}, "inputs 12: the design has 6 outputs and " + sides +
                                                        " inputs, its dual " + sides +
                                                        " outputs and 6 inputs");
  }
  CHECK(make_design({.family = "complement-of:residual-of:steiner-triple", .inputs = 7}).design.nnz() == 12);
  check_refused(
      {.family = "derived-of:steiner-triple", .inputs = 7},
      "family derived-of:steiner-triple: the design has lambda 1; one with at least 2 would be right");
}

TEST_CASE("make_design: a row degree is a whole number, and so is what it asks for") {
  auto const design = make_design({.outputs = 18, .inputs = 18, .row_degree = 8}).design;
  CHECK(design.nnz() == 18 * 18 / 2);  // an eighth off, which is near enough
  CHECK(make_design({.family = "hadamard-group", .row_degree = 16, .order = 8, .lambda = 2}).design.nnz() ==
        128 * 16);
  CHECK(make_design({.family = "hadamard-group", .row_degree = 64, .order = 8, .lambda = 2, .block = 2})
            .design.row_degree(0) == 64);
  check_refused({.family = "hadamard-group", .row_degree = 129, .order = 8, .lambda = 2},
                "row-degree 129: from 1 to 128, the inputs, would be right");
}

TEST_CASE("make_design: a message says what would be right") {
  MaskOptions const group = {.family = "hadamard-group", .outputs = 16, .inputs = 16, .lambda = 2};
  check_refused(group,
                "lambda 2: family hadamard-group has one with an order only; giving the order, or leaving "
                "lambda out, would be right");
  check_refused({.outputs = 20, .inputs = 16, .lambda = 2},
                "lambda 2: that of the design of this shape is 1");
  check_refused({.outputs = 31, .inputs = 31, .lambda = 2},
                "lambda 2: that of the design of this shape is 1 or 7");
  check_refused({.outputs = 31, .inputs = 31, .density = 0.5, .lambda = 1},
                "lambda 1: that of the design of this shape is 7");
  CHECK(make_design({.outputs = 31, .inputs = 31, .lambda = 7}).design.row_degree(0) == 15);
  check_refused({.family = "hadamard-group", .order = 4, .lambda = 1'000'000'000},
                "lambda 1000000000: with order 4 a power of 2 would be right (nearest: 134217728)");
  check_refused({.family = "hadamard-group", .outputs = 1, .inputs = 5, .order = 2},
                "order 2: none goes into 1 x 5; leaving it out, for the full mask, would be right");
  CHECK(make_design({.family = "hadamard-group", .outputs = 1, .inputs = 5}).design.nnz() == 5);
  check_refused({.family = "steiner-triple", .outputs = 10, .inputs = 15},
                "outputs 10: the design has 35 outputs and 15 inputs, its dual 15 outputs and 35 inputs");
  check_refused({.family = "steiner-triple", .inputs = 22, .block = 2},
                "inputs 22: a Steiner triple system needs 6t + 1 or 6t + 3 tiles, from 7 (nearest: 18, 26)");
  check_refused({.family = "hadamard-group", .outputs = 64, .inputs = 64, .order = 64, .block = 2},
                "order 64: at most 32 goes into 32 x 32 tiles (nearest: 32)");
  check_refused({.family = "net", .outputs = 60, .inputs = 60, .order = 5, .block = 2},
                "order 5: a net has at most 50 outputs and inputs (nearest: 7)");
}

TEST_CASE("make_design: what there is not is refused, by the name of the option") {
  check_refused({.family = "affine-plane", .order = 6}, "order 6: not a prime power (nearest: 5, 7)");
  check_refused({.outputs = 5}, "inputs: they are missing; family auto needs both sides");
  check_refused({.outputs = 5, .inputs = 5, .row_degree = 6},
                "row-degree 6: from 1 to 5, the inputs, would be right");
  check_refused({.outputs = 10, .inputs = 10, .density = 0.5, .row_degree = 2},
                "row-degree 2: beside density 0.500000; one of the two would be right");
  check_refused({.outputs = 10, .inputs = 10, .density = 1.5},
                "density 1.500000: above 0 and at most 1 would be right");
  check_refused({.outputs = 10, .inputs = 10, .block = 0}, "block-size 0: 1 or more would be right");
  check_refused({.outputs = 10, .inputs = 10, .lambda = 3},
                "lambda 3: a design of family auto has none; leaving it out would be right");
  check_refused({.family = "random", .outputs = 10, .inputs = 10},
                "density: it is missing; family random needs it, or a row degree");
  check_refused({.family = "affine-plane", .density = 0.9, .order = 4},
                "density 0.900000: that of the design is 0.250000");
  check_refused({.family = "affine-plane", .order = 4, .lambda = 2}, "lambda 2: that of the design is 1");
  check_refused(
      {.family = "complement-of:auto", .outputs = 5, .inputs = 5, .density = 1},
      "family complement-of:auto: the design is full, so nothing is left; a lower density would be right");
  CHECK_THROWS_WITH_AS(make_design({.family = "fano"}),
                       doctest::Contains("family fano: unknown; auto, affine-plane"),
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(make_design({.family = "derived-of:net", .order = 4}),
                       doctest::Contains("must be a symmetric block design"), weir::ContractViolation);
}
