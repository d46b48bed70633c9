#include "weir/compress/break_even.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>

using Method = weir::SparseMethod;

namespace {

double break_even_density(Method method, std::size_t ranks, std::size_t value_bytes = 4,
                          std::size_t index_bytes = 4) {
  return weir::break_even({.ranks = ranks,
                           .elements = 25'600'000,
                           .value_bytes = value_bytes,
                           .index_bytes = index_bytes,
                           .link = {.alpha = 0.0}})
      .density(method);
}

doctest::Approx about(double value) {
  return doctest::Approx(value).epsilon(1e-6);
}

}  // namespace

TEST_CASE("without latency the densities at which the methods break even are those derived by hand") {
  for (std::size_t ranks : {4u, 8u, 16u}) {
    double const p = static_cast<double>(ranks);
    double const rounds = static_cast<double>(weir::rounds_of_doubling(ranks));
    CHECK(break_even_density(Method::all_gather, ranks) == about(1.0 / p));
    CHECK(break_even_density(Method::split, ranks) == about(0.5));
    CHECK(break_even_density(Method::balanced, ranks) == about(1.0 / 3.0));
    CHECK(break_even_density(Method::global_top_k, ranks) == about((p - 1.0) / (2.0 * p * rounds)));
    CHECK(break_even_density(Method::leader_indices, ranks) == about(2.0 * (p - 1.0) / (3.0 * p - 2.0)));
  }
  CHECK(break_even_density(Method::recursive_doubling, 4) == doctest::Approx(0.275255).epsilon(2e-6));
  CHECK(break_even_density(Method::recursive_doubling, 8) == doctest::Approx(0.144122).epsilon(4e-6));
  CHECK(break_even_density(Method::recursive_doubling, 16) == doctest::Approx(0.073706).epsilon(7e-6));
}

TEST_CASE("narrow values and narrow indices move the break-even of the all-gather") {
  CHECK(break_even_density(Method::all_gather, 8, 2, 4) == about(1.0 / 12.0));
  CHECK(break_even_density(Method::all_gather, 8, 4, 2) == about(1.0 / 6.0));
}

TEST_CASE("a method that never pays breaks even at 0, one that always pays at 1") {
  weir::BreakEvenCase question{.ranks = 8, .elements = 1000, .time = {.compress = 1.0}};
  CHECK(weir::break_even(question).density(Method::all_gather) == 0.0);
  question.time = {};
  CHECK(weir::break_even(question).density(Method::shared_indices) == 1.0);
}

TEST_CASE("the density found separates what is faster than the ring from what is not") {
  auto const calculator =
      weir::break_even({.ranks = 8, .elements = 25'600'000, .time = {.compress = 2e-3, .decompress = 1e-3}});
  for (Method const method : {Method::all_gather, Method::recursive_doubling, Method::split,
                              Method::global_top_k, Method::balanced}) {
    double const density = calculator.density(method);
    double const dense = calculator.seconds(Method::dense_ring, density);
    CHECK(calculator.seconds(method, density * (1.0 - 1e-9)) < dense);
    CHECK(calculator.seconds(method, density * (1.0 + 1e-9)) >= dense);
  }
}

TEST_CASE("the bandwidth above which compression loses, ring against all-gather") {
  weir::BreakEvenCase question{.ranks = 8, .elements = 25'600'000, .time = {.compress = 2e-3}};
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.01) / 1e9 ==
        doctest::Approx(92.62).epsilon(5e-5));
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.01) == about(164.864e6 / 1.78e-3));
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.001) / 1e9 ==
        doctest::Approx(99.87).epsilon(5e-5));
  question.time = {.compress = 15e-3, .decompress = 5e-3};
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.01) / 1e9 ==
        doctest::Approx(8.335).epsilon(5e-5));
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.01) == about(164.864e6 / 19.78e-3));
}

TEST_CASE("compression that costs less than the messages it saves pays at any bandwidth") {
  weir::BreakEvenCase const question{.ranks = 8, .elements = 25'600'000, .time = {.compress = 220e-6}};
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.01) ==
        std::numeric_limits<double>::infinity());
}

TEST_CASE("where no bytes are saved there is no such bandwidth") {
  weir::BreakEvenCase const question{.ranks = 8, .elements = 25'600'000, .time = {.compress = 1.0}};
  CHECK(weir::break_even(question).bandwidth(Method::all_gather, 0.9) == 0.0);
}

TEST_CASE("a question without ranks or elements is refused") {
  CHECK_THROWS_AS(weir::break_even({.ranks = 0, .elements = 1}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::break_even({.ranks = 2, .elements = 0}), weir::ContractViolation);
}
