#include "weir/compress/cost_table.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>

using Method = weir::SparseMethod;

namespace {

struct Row {
  Method method;
  double at_one_percent;
  double at_ten_percent;
};

void check_milliseconds(weir::SparseLoad const& load, Method method, double expected) {
  CAPTURE(std::string(weir::name_of(method)));
  CHECK(1e3 * weir::seconds_of(method, load, weir::Link{}) == doctest::Approx(expected).epsilon(1e-6));
}

}  // namespace

TEST_CASE("the table gives the milliseconds worked out for eight ranks and 25.6 million elements") {
  // To the digits that are given, and against the formulas below to all of them.
  Row const rows[] = {
      {Method::dense_ring, 143.640, 143.640},         {Method::all_gather, 11.5288, 114.748},
      {Method::recursive_doubling, 11.4148, 103.918}, {Method::split, 12.7089, 86.216},
      {Method::global_top_k, 9.9504, 98.424},         {Method::balanced, 4.7408, 43.448},
      {Method::shared_indices, 1.5536, 14.456},       {Method::leader_indices, 2.4328, 22.708}};
  weir::SparseLoad load{.ranks = 8, .elements = 25.6e6};
  for (Row const& row : rows) {
    CAPTURE(std::string(weir::name_of(row.method)));
    load.selected = 256e3;
    CHECK(1e3 * weir::seconds_of(row.method, load, {}) == doctest::Approx(row.at_one_percent).epsilon(5e-6));
    load.selected = 2.56e6;
    CHECK(1e3 * weir::seconds_of(row.method, load, {}) == doctest::Approx(row.at_ten_percent).epsilon(5e-6));
  }
}

TEST_CASE("and for sixteen ranks and 2^20 elements") {
  weir::SparseLoad const load{.ranks = 16, .elements = 1'048'576.0, .selected = 1'048.0};
  check_milliseconds(load, Method::dense_ring, 6.891456);
  check_milliseconds(load, Method::all_gather, 0.180608);
  check_milliseconds(load, Method::split, 0.486145);
  check_milliseconds(load, Method::balanced, 0.818864);
}

TEST_CASE("the expected union is that of independent choices") {
  weir::SparseLoad const load{.ranks = 8, .elements = 1000.0, .selected = 10.0};
  CHECK(weir::expected_union(load, 0) == 0.0);
  CHECK(weir::expected_union(load, 1) == doctest::Approx(10.0).epsilon(1e-12));
  for (std::size_t ranks : {2u, 3u, 7u, 8u, 100u}) {
    double const expected = 1000.0 * (1.0 - std::pow(0.99, static_cast<double>(ranks)));
    CHECK(weir::expected_union(load, ranks) == doctest::Approx(expected).epsilon(1e-12));
  }
  CHECK(weir::expected_union({.ranks = 8}, 4) == 0.0);
}

TEST_CASE("one rank sends nothing, halving takes fewer messages than the ring and the same bytes") {
  weir::SparseLoad load{.ranks = 1, .elements = 1e6, .selected = 1e4};
  for (std::size_t i = 0; i < weir::sparse_methods; ++i)
    CHECK(weir::seconds_of(static_cast<Method>(i), load, {}) == 0.0);
  load.ranks = 16;
  CHECK(weir::seconds_of(Method::dense_ring, load, {}) - weir::seconds_of(Method::dense_halving, load, {}) ==
        doctest::Approx((30.0 - 8.0) * 20e-6).epsilon(1e-9));
}

TEST_CASE("two levels are a dense sum inside, and the chosen one between nodes on a part") {
  weir::SparseLoad const load{.ranks = 32, .elements = 4e6, .selected = 4e4};
  weir::Link const inside{1e-6, 1e-11};
  double const in_node = 2.0 * (7.0 * 1e-6 + 4e6 * 4.0 * 1e-11 * 7.0 / 8.0);
  double const between =
      weir::seconds_of(Method::all_gather, {.ranks = 4, .elements = 5e5, .selected = 5e3}, {});
  CHECK(weir::two_level_seconds(Method::all_gather, load, {}, 8, inside) ==
        doctest::Approx(in_node + between).epsilon(1e-12));
}

TEST_CASE("the cheapest allowed method is chosen, and dense where compression costs more than it saves") {
  weir::SparseLoad load{.ranks = 8, .elements = 25.6e6, .selected = 256e3};
  auto const all = weir::SparseMethodSet::of(Method::all_gather, Method::recursive_doubling, Method::split,
                                             Method::global_top_k, Method::balanced);
  CHECK(weir::cheapest_method(weir::exact_sparse_methods, load, {}) == Method::recursive_doubling);
  CHECK(weir::cheapest_method(all, load, {}) == Method::balanced);
  CHECK(weir::cheapest_method(all, load, {}, {.compress = 0.1, .decompress = 0.0388}) == Method::balanced);
  CHECK(weir::cheapest_method(all, load, {}, {.compress = 0.1, .decompress = 0.0390}) == Method::dense_ring);
  load.selected = 2.56e6;
  CHECK(weir::cheapest_method(weir::exact_sparse_methods, load, {}) == Method::split);
  load.selected = 25.6e6;
  CHECK(weir::cheapest_method(all, load, {}) == Method::dense_ring);
  CHECK(weir::cheapest_method(weir::SparseMethodSet::of(Method::dense_halving), load, {}) ==
        Method::dense_halving);
  CHECK(weir::cheapest_method({}, load, {}) == Method::dense_ring);
}

TEST_CASE("every choice is the minimum of the table, and of equals the first") {
  auto const all = weir::SparseMethodSet::of(
      Method::dense_halving, Method::all_gather, Method::recursive_doubling, Method::split,
      Method::global_top_k, Method::balanced, Method::shared_indices, Method::leader_indices);
  weir::Link const links[] = {{}, {0.0, 1e-9}, {1e-3, 1e-12}, {0.0, 0.0}};
  for (std::size_t ranks = 1; ranks <= 17; ++ranks) {
    for (double density = 1.0; density > 1e-5; density /= 3.0) {
      for (weir::Link const& link : links) {
        weir::SparseLoad const load{.ranks = ranks, .elements = 1e6, .selected = density * 1e6};
        auto const chosen = weir::cheapest_method(all, load, link);
        for (std::size_t i = 0; i < weir::sparse_methods; ++i) {
          auto const other = static_cast<Method>(i);
          double const difference =
              weir::seconds_of(other, load, link) - weir::seconds_of(chosen, load, link);
          CHECK((other < chosen ? difference > 0.0 : difference >= 0.0));
        }
      }
    }
  }
}
