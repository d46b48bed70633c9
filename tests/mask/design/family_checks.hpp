#pragma once

#include <doctest/doctest.h>

#include "mask/design_checks.hpp"
#include "weir/mask/certificate.hpp"
#include "weir/mask/design.hpp"

/// A design is the block design of these parameters, which fulfil the identities; and unless it is large, it
/// keeps to the rules of a design.
template <weir::Design D>
void check_exact(D const& design, weir::DesignParameters const& p) {
  CAPTURE(p.v);
  CAPTURE(p.b);
  CAPTURE(p.k);
  if (p.v <= 400) CHECK(fault_of(design) == "");
  CHECK(weir::certify(design) == p);
  CHECK(p.b * p.k == p.v * p.r);
  CHECK(p.lambda * (p.v - 1) == p.r * (p.k - 1));
  CHECK(p.b >= p.v);
}
