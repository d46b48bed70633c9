#include "weir/plan/gradient_similarity.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <span>
#include <vector>

using weir::GradientSimilarity;

namespace {

std::optional<double> cosine(std::vector<float> const& even, std::vector<float> const& odd) {
  GradientSimilarity similarity;
  similarity.add(std::span(even), std::span(odd));
  return similarity.cosine();
}

}  // namespace

TEST_CASE("the similarity of the halves is their cosine, over all buckets") {
  CHECK(*cosine({1, 0}, {0, 1}) == 0);
  CHECK(*cosine({1, 2}, {2, 4}) == doctest::Approx(1));
  CHECK(*cosine({1, 2}, {-1, -2}) == doctest::Approx(-1));

  std::vector<float> const even = {1, 2, 3};
  std::vector<float> const odd = {3, 2, 4};
  GradientSimilarity pieces;
  pieces.add(std::span(even).first(1), std::span(odd).first(1));
  pieces.add(std::span(even).subspan(1), std::span(odd).subspan(1));
  CHECK(*pieces.cosine() == *cosine(even, odd));
  CHECK(*pieces.cosine() == doctest::Approx(19 / std::sqrt(14.0 * 29.0)));
}

TEST_CASE("a half that is zero says nothing") {
  CHECK_FALSE(GradientSimilarity{}.cosine());
  CHECK_FALSE(cosine({1, 2}, {0, 0}));
}
