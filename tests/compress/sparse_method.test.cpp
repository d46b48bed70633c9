#include "weir/compress/sparse_method.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("every method has a name, and a set knows its members") {
  for (std::size_t i = 0; i < weir::sparse_methods; ++i)
    CHECK(std::string(weir::name_of(static_cast<weir::SparseMethod>(i))) != "unknown");
  CHECK(std::string(weir::name_of(static_cast<weir::SparseMethod>(weir::sparse_methods))) == "unknown");
  constexpr auto set = weir::SparseMethodSet::of(weir::SparseMethod::split, weir::SparseMethod::balanced);
  static_assert(set.contains(weir::SparseMethod::split) && set.contains(weir::SparseMethod::balanced));
  static_assert(!set.contains(weir::SparseMethod::all_gather));
  static_assert(weir::is_dense(weir::SparseMethod::dense_halving));
  static_assert(!weir::is_dense(weir::SparseMethod::all_gather));
  CHECK(std::string(weir::name_of(weir::SparseMethod::global_top_k)) == "global top-k");
}
