#include "weir/mask/ensemble.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace {

std::size_t majority(std::vector<std::size_t> const& votes, std::vector<double> const& weights = {}) {
  return weir::majority_vote(votes, 4, weights);
}

TEST_CASE("the majority wins, and of equals the smaller class") {
  CHECK(majority({3, 1, 3}) == 3);
  CHECK(majority({3, 1}) == 1);
  CHECK(majority({2, 0, 3, 3, 0}) == 0);
}

TEST_CASE("weights decide") {
  CHECK(majority({3, 1, 1}, {3.0, 1.0, 1.0}) == 3);
  CHECK(majority({3, 1, 1}, {2.0, 1.0, 1.0}) == 1);
}

TEST_CASE("mean probabilities count how sure members are") {
  std::vector<float> const sure = {5.0f, 0.0f, 0.0f, 0.1f, 0.0f, 0.2f};  // two members, three classes
  CHECK(weir::mean_probability_vote(std::span(sure), 3) == 0);
  std::vector<float> const logits = {0.0f, 0.5f, 1000.0f, 999.5f, 0.0f, 0.4f};  // two classes
  CHECK(weir::mean_probability_vote(std::span(logits), 2) == 1);
  std::vector<float> const equal = {1.0f, 1.0f};
  CHECK(weir::mean_probability_vote(std::span(equal), 2) == 0);
}

TEST_CASE("what is equal but for rounding is a tie, which the smaller class wins") {
  CHECK(majority({1, 2, 2}, {0.3, 0.1, 0.2}) == 1);  // 0.1 + 0.2 is above 0.3
  // Three members with the same three logits, each class once in each place.
  for (float const first : {0.0f, 0.5f, 1.0f, 1.5f, 2.0f}) {
    for (float const second : {0.0f, 0.5f, 1.0f, 1.5f, 2.0f}) {
      std::vector<float> const turned = {0.25f, first, second, first, second, 0.25f, second, 0.25f, first};
      CHECK(weir::mean_probability_vote(std::span(turned), 3) == 0);
    }
  }
  std::vector<float> const close = {0.0f, 1e-6f};
  CHECK(weir::mean_probability_vote(std::span(close), 2) == 1);
}

TEST_CASE("a member whose softmax is NaN has no say") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> const logits = {9.0f, nan, 0.0f, 1.0f};
  CHECK(weir::mean_probability_vote(std::span(logits), 2) == 1);
  CHECK(weir::mean_probability_vote(std::span(logits).first(2), 2) == 0);
}

TEST_CASE("votes for what is no class, and sizes that do not fit, are refused") {
  CHECK_THROWS_AS(majority({4}), weir::ContractViolation);
  CHECK_THROWS_AS(majority({1, 2}, {1.0}), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(majority({1, 1}, {1.5e308, 1.5e308}),
                       "majority_vote: the weights add up to infinity, smaller ones would be right",
                       weir::ContractViolation);
  std::vector<float> const logits(5);
  CHECK_THROWS_AS(weir::mean_probability_vote(std::span(logits), 2), weir::ContractViolation);
  CHECK_THROWS_AS(weir::mean_probability_vote(std::span<float const>(), 2), weir::ContractViolation);
  CHECK_THROWS_AS(weir::majority_vote(std::span<std::size_t const>(), 0), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(majority({}), "majority_vote: 0 members, at least 1 would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(majority({0, 1}, {1.0, std::numeric_limits<double>::infinity()}),
                       "majority_vote: the weight of member 1 is inf, a finite one would be right",
                       weir::ContractViolation);
}

}  // namespace
