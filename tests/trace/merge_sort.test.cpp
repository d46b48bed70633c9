#include "weir/trace/merge_sort.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

TEST_CASE("the order is the one of std::stable_sort") {
  CHECK(rc::check([](std::vector<std::pair<signed char, int>> elements) {
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i].second = static_cast<int>(i);
    auto const before = [](auto const& left, auto const& right) { return left.first / 8 < right.first / 8; };
    auto expected = elements;
    std::stable_sort(expected.begin(), expected.end(), before);
    weir::detail::merge_sort(elements, before);
    RC_ASSERT(elements == expected);
  }));
}

TEST_CASE("elements are moved, and those in order already are compared once") {
  std::vector<std::string> words{"c", "a", "b"};
  weir::detail::merge_sort(words, [](auto const& left, auto const& right) { return left < right; });
  CHECK(words == std::vector<std::string>{"a", "b", "c"});

  std::vector<int> numbers(1'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
  std::size_t comparisons = 0;
  weir::detail::merge_sort(numbers, [&](int left, int right) {
    ++comparisons;
    return left < right;
  });
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(comparisons == numbers.size() - 1);
}
