#include "weir/mask/samme.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

std::vector<bool> misses(std::vector<std::size_t> const& samples) {
  std::vector<bool> wrong(10);
  for (std::size_t i : samples) wrong[i] = true;
  return wrong;
}

TEST_CASE("two rounds with ten samples and ten classes") {
  weir::Samme samme(10, 10);
  auto const first = samme.add(misses({0, 1, 2}));
  CHECK(first.accepted);
  CHECK(first.error == doctest::Approx(0.3));
  CHECK(first.alpha == doctest::Approx(3.0445224).epsilon(1e-7));
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(samme.weights()[i] == doctest::Approx(i < 3 ? 0.3 : 0.0142857).epsilon(1e-5));
  auto const second = samme.add(misses({3, 4}));
  CHECK(second.error == doctest::Approx(0.0285714).epsilon(1e-5));
  CHECK(second.alpha == doctest::Approx(5.7235851).epsilon(1e-7));
  for (std::size_t i = 0; i < 10; ++i) {
    double const wanted = i < 3 ? 0.0308824 : i < 5 ? 0.45 : 0.00147059;
    CHECK(samme.weights()[i] == doctest::Approx(wanted).epsilon(1e-5));
  }
}

TEST_CASE("the misclassified hold (K-1)/K afterwards, and rise") {
  for (std::size_t classes : {2u, 3u, 10u}) {
    weir::Samme samme(10, classes);
    auto const before = samme.weights();
    auto const wrong = misses({2, 7, 9});
    REQUIRE(samme.add(wrong).accepted);
    double held = 0;
    for (std::size_t i = 0; i < 10; ++i) {
      if (!wrong[i]) continue;
      held += samme.weights()[i];
      CHECK(samme.weights()[i] > before[i]);
    }
    CHECK(held == doctest::Approx(static_cast<double>(classes - 1) / static_cast<double>(classes)));
  }
}

TEST_CASE("a learner that is no better than guessing is rejected and changes nothing") {
  weir::Samme samme(10, 2);
  auto const round = samme.add(misses({0, 1, 2, 3, 4}));
  CHECK_FALSE(round.accepted);
  CHECK(round.alpha == 0.0);
  for (double weight : samme.weights()) CHECK(weight == doctest::Approx(0.1));
}

TEST_CASE("a learner that guesses is rejected, however its weights are rounded") {
  for (std::size_t classes = 2; classes <= 20; ++classes) {
    for (std::size_t each = 1; each <= 60; ++each) {
      std::vector<bool> is_wrong(classes * each, true);
      for (std::size_t i = 0; i < each; ++i) is_wrong[i * classes] = false;
      CAPTURE(classes);
      CAPTURE(each);
      CHECK_FALSE(weir::Samme(is_wrong.size(), classes).add(is_wrong).accepted);
      is_wrong[1] = false;  // better by one sample
      weir::Samme samme(is_wrong.size(), classes);
      if (each == 1 && classes == 2) continue;  // which makes no error
      CHECK(samme.add(is_wrong).accepted);
      CHECK_FALSE(samme.add(is_wrong).accepted);  // its errors hold (K-1)/K now
    }
  }
}

TEST_CASE("a small error has the vote of the formula, above that of none") {
  weir::Samme samme(100, 10);
  double alpha = 0;
  for (std::size_t round = 0; round < 14; ++round) {
    std::vector<bool> is_wrong(100);
    is_wrong[round] = true;
    double const error = samme.weights()[round];
    alpha = samme.add(is_wrong).alpha;
    CHECK(alpha == doctest::Approx(std::log((1 - error) / error) + std::log(9.0)));
  }
  CHECK(alpha > weir::Samme::largest_alpha);
}

TEST_CASE("errors as small as numbers can be keep weights and votes finite") {
  weir::Samme samme(3, 1000);
  for (int round = 0; round < 104; ++round) {
    std::vector<bool> is_wrong(3);
    is_wrong[static_cast<std::size_t>(round % 2)] = true;
    REQUIRE(samme.add(is_wrong).accepted);
  }
  REQUIRE(samme.weights()[2] > 0.0);
  REQUIRE(samme.weights()[2] < 1e-300);
  auto const last = samme.add({false, false, true});
  CHECK(last.accepted);
  CHECK(std::isfinite(last.alpha));
  CHECK(samme.weights()[2] == doctest::Approx(0.999));
  CHECK(samme.weights()[0] + samme.weights()[1] == doctest::Approx(0.001));
}

TEST_CASE("a learner without errors ends the training") {
  weir::Samme samme(10, 10);
  auto const round = samme.add(misses({}));
  CHECK(round.accepted);
  CHECK(round.finished);
  CHECK(round.alpha == doctest::Approx(std::log(1e10)).epsilon(1e-15));
}

TEST_CASE("sizes that make no sense are refused") {
  CHECK_THROWS_AS(weir::Samme(0, 2), weir::ContractViolation);
  CHECK_THROWS_AS(weir::Samme(3, 1), weir::ContractViolation);
  weir::Samme samme(3, 2);
  CHECK_THROWS_AS(samme.add(misses({1})), weir::ContractViolation);
}

}  // namespace
