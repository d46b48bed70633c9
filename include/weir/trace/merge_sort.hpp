#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace weir::inline v1::detail {

/// Sorts, keeping the order of equals. (The standard's would bring in all of <algorithm>.)
///
/// Cost: n log n comparisons at most, n if the elements are in order already; a second vector.
template <class Element, class Before>
void merge_sort(std::vector<Element>& elements, Before before) {
  std::vector<Element> other(elements.size());
  std::size_t const size = elements.size();
  auto const at_most = [&](std::size_t position) { return position < size ? position : size; };
  bool is_sorted = false;
  for (std::size_t run = 1; run < size && !is_sorted; run *= 2) {
    is_sorted = true;
    for (std::size_t begin = 0; begin < size; begin += 2 * run) {
      std::size_t left = begin;
      std::size_t right = at_most(begin + run);
      std::size_t const middle = right;
      std::size_t const end = at_most(begin + 2 * run);
      if (middle < end && before(elements[middle], elements[middle - 1])) is_sorted = false;
      for (std::size_t out = begin; out < end; ++out) {
        bool const takes_right = left == middle || (right < end && before(elements[right], elements[left]));
        other[out] = std::move(elements[takes_right ? right++ : left++]);
      }
    }
    std::swap(elements, other);
  }
}

}  // namespace weir::inline v1::detail
