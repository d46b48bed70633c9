#include "weir/mask/lambda_histogram.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design_checks.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/legacy_iddl.hpp"
#include "weir/mask/design/random.hpp"

namespace {

using Histogram = std::vector<weir::LambdaCount>;

template <class D>
Histogram counted_one_by_one(D const& design) {
  std::vector<std::uint8_t> const matrix = matrix_of(design);
  std::vector<std::uint64_t> pairs(design.outputs() + 1);
  std::size_t const inputs = design.inputs();
  for (std::size_t a = 0; a < inputs; ++a) {
    for (std::size_t b = a + 1; b < inputs; ++b) {
      std::size_t meetings = 0;
      for (std::size_t r = 0; r < design.outputs(); ++r)
        meetings += matrix[r * inputs + a] & matrix[r * inputs + b];
      ++pairs[meetings];
    }
  }
  Histogram histogram;
  for (std::size_t m = 0; m < pairs.size(); ++m) {
    if (pairs[m] != 0) histogram.push_back({m, pairs[m]});
  }
  return histogram;
}

}  // namespace

TEST_CASE("lambda_histogram: the same as one pair after another, whether by lists or by bits") {
  for (double density : {0.02, 0.3, 0.6, 1.0}) {
    for (std::size_t outputs : {1u, 63u, 130u, 600u}) {
      CAPTURE(density);
      CAPTURE(outputs);
      auto const nnz = static_cast<std::size_t>(density * static_cast<double>(outputs) * 70);
      auto const mask = weir::random_mask(outputs, 70, nnz, 5);
      CHECK(weir::lambda_histogram(mask) == counted_one_by_one(mask));
    }
  }
  CHECK(weir::lambda_histogram(weir::random_mask(5, 1, 3, 1)).empty());
}

TEST_CASE("lambda_histogram: what is known of group designs and of the prototype's masks") {
  CHECK(weir::lambda_histogram(weir::GroupDesign{{64, 64, 8}}) == Histogram{{0, 224}, {1, 1792}});
  CHECK(weir::lambda_histogram(weir::GroupDesign{{256, 256, 16}}) == Histogram{{0, 1920}, {1, 30720}});
  CHECK(weir::lambda_histogram(weir::GroupDesign{{512, 512, 8}}) == Histogram{{0, 1792}, {8, 129024}});
  CHECK(weir::lambda_histogram(weir::GroupDesign{{512, 512, 16}}) == Histogram{{0, 3840}, {2, 126976}});
  CHECK(weir::lambda_histogram(weir::GroupDesign{{512, 512, 32}}) == Histogram{{0, 69376}, {1, 61440}});
  CHECK(weir::lambda_histogram(weir::GroupDesign{{1024, 512, 32}}) == Histogram{{0, 7936}, {1, 122880}});
  CHECK(weir::lambda_histogram(weir::legacy_iddl(20, 16)) == Histogram{{0, 16}, {1, 88}, {2, 16}});
  CHECK(weir::lambda_histogram(weir::legacy_iddl(42, 36)) ==
        Histogram{{0, 180}, {1, 306}, {2, 108}, {3, 36}});
  CHECK(weir::lambda_histogram(weir::AffineGeometry(5)) == Histogram{{1, 300}});
}
