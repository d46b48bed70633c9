#include "weir/mask/make_design.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/certificate.hpp"
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

TEST_CASE("make_design: seeds give copies with the same degrees and singular values") {
  for (char const* family : {"auto", "hadamard-group"}) {
    MaskOptions options = {.family = family, .outputs = 84, .inputs = 64, .density = 0.25};
    auto const canonical = make_design(options).design;
    options.seed = 7;
    auto const copy = make_design(options).design;
    CHECK(matrix_of(copy) != matrix_of(canonical));
    CHECK(weir::row_degrees(copy) == weir::row_degrees(canonical));
  }
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
