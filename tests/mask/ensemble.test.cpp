#include "weir/mask/ensemble.hpp"

#include <doctest/doctest.h>

#include <cstddef>
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

TEST_CASE("votes for what is no class, and sizes that do not fit, are refused") {
  CHECK_THROWS_AS(majority({4}), weir::ContractViolation);
  CHECK_THROWS_AS(majority({1, 2}, {1.0}), weir::ContractViolation);
  std::vector<float> const logits(5);
  CHECK_THROWS_AS(weir::mean_probability_vote(std::span(logits), 2), weir::ContractViolation);
}

}  // namespace
