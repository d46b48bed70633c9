#include "weir/exec/leaf_tree.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <string>
#include <vector>

namespace {

/// Shows the order in which it was merged.
struct Brackets {
  std::string text;
  void merge(Brackets const& right) { text = "(" + text + right.text + ")"; }
};

using Fold = weir::detail::PairwiseFold<Brackets>;

std::string folded(std::string const& leaves) {
  Fold fold;
  fold.clear();
  for (char leaf : leaves) fold.add({std::string(1, leaf)});
  return fold.total({"-"}).text;
}

/// Level by level, as the order is described.
std::string level_by_level(std::string const& leaves) {
  std::vector<Brackets> nodes;
  for (char leaf : leaves) nodes.push_back({std::string(1, leaf)});
  while (nodes.size() > 1) {
    std::vector<Brackets> above;
    for (std::size_t i = 0; i < nodes.size(); i += 2) {
      above.push_back(nodes[i]);
      if (i + 1 < nodes.size()) above.back().merge(nodes[i + 1]);
    }
    nodes = above;
  }
  return nodes.empty() ? "-" : nodes[0].text;
}

}  // namespace

TEST_CASE("leaves are folded pairwise in index order, and one without a partner stays as it is") {
  CHECK(folded("") == "-");
  CHECK(folded("a") == "a");
  CHECK(folded("abcde") == "(((ab)(cd))e)");
  CHECK(folded("abcdefg") == "(((ab)(cd))((ef)g))");
  std::string leaves;
  for (int count = 0; count < 130; ++count, leaves += static_cast<char>('a' + count % 26)) {
    CHECK(folded(leaves) == level_by_level(leaves));
  }
}

TEST_CASE("a fold of subtrees of any power of two is the fold of their leaves") {
  std::string leaves;
  for (int count = 1; count < 70; ++count) {
    leaves += static_cast<char>('a' + count % 26);
    for (std::size_t subtree : {1u, 2u, 4u, 16u, 64u}) {
      Fold fold;
      fold.clear();
      for (std::size_t first = 0; first < leaves.size(); first += subtree) {
        fold.add({folded(leaves.substr(first, subtree))});
      }
      CHECK(fold.total({"-"}).text == folded(leaves));
    }
  }
}

TEST_CASE("subtrees are powers of two, as small as their number allows") {
  using weir::detail::subtree_leaves;
  CHECK(subtree_leaves(0, 4, 8) == 4);
  CHECK(subtree_leaves(32, 4, 8) == 4);
  CHECK(subtree_leaves(33, 4, 8) == 8);
  std::size_t const leaves = weir::detail::leaves_of((std::size_t{1} << 33) + 5);
  CHECK(leaves == (std::size_t{1} << 21) + 1);
  std::size_t const subtree = subtree_leaves(leaves, 1, 1000);
  CHECK(std::has_single_bit(subtree));
  CHECK((leaves + subtree - 1) / subtree <= 1000);
  CHECK((leaves + subtree / 2 - 1) / (subtree / 2) > 1000);
}

TEST_CASE("a sum of squares adds, and counts") {
  weir::detail::SquareSum sum{1.5, 2};
  sum.merge({2.25, 3});
  CHECK(sum.measurement().sum_of_squares == 3.75);
  CHECK(sum.measurement().non_finite == 5);
}
