#include "weir/mask/mask_request.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "weir/core/error.hpp"

namespace {

/// What is there for those that make masks.
struct Request : weir::detail::MaskRequest {
  explicit Request(weir::MaskOptions const& options) : MaskRequest(options) {}
  using MaskRequest::inputs_;
  using MaskRequest::outputs_;
  using MaskRequest::row_share;
};

void check_refused(weir::MaskOptions const& options, char const* text) {
  CHECK_THROWS_WITH_AS(Request{options}, text, weir::ContractViolation);
}

}  // namespace

TEST_CASE("MaskRequest: sides in tiles, and a row degree in entries") {
  weir::MaskOptions const options = {.outputs = 60, .inputs = 101, .row_degree = 25, .block = 20};
  Request const request(options);
  CHECK(request.outputs_ == 3);
  CHECK(request.inputs_ == 6);
  CHECK(request.row_share(101).of(6) == 1);  // 150 / 101
  CHECK_THROWS_WITH_AS(request.row_share(24), "row-degree 25: from 1 to 24, the inputs, would be right",
                       weir::ContractViolation);
}

TEST_CASE("MaskRequest: options that contradict each other, or say nothing of the family") {
  check_refused({.outputs = 5, .inputs = 5, .block = 0}, "block-size 0: 1 or more would be right");
  check_refused({.outputs = 5, .inputs = 5, .block = 6},
                "block-size 6: greater than 5, the larger side (nearest: 5)");
  check_refused({.outputs = 5, .inputs = 5, .density = 0.5, .row_degree = 2},
                "row-degree 2: beside density 0.500000; one of the two would be right");
  check_refused({.family = "residual-of:paley", .order = 7, .dimension = 3},
                "dimension 3: family paley has no use for it; leaving it out, or one of affine-plane, "
                "projective-plane, affine-geometry, projective-geometry, would be right");
}
