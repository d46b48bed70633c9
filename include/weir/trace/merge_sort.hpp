#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace weir::inline v1::detail {

/// Sorts, keeping the order of equals. (The standard's would bring in all of <algorithm>.)
///
/// Cost: n log n comparisons and a second vector; n if the elements are in order already.
template <class Element, class Before>
void merge_sort(std::vector<Element>& elements, Before before) {
  std::size_t const size = elements.size();
  std::size_t sorted = 1;
  while (sorted < size && !before(elements[sorted], elements[sorted - 1])) ++sorted;
  if (sorted >= size) return;

  std::vector<Element> other(size);
  auto const at_most_size = [&](std::size_t position) { return position < size ? position : size; };
  for (std::size_t run = 1; run < size; run *= 2) {
    for (std::size_t begin = 0; begin < size; begin += 2 * run) {
      std::size_t const middle = at_most_size(begin + run);
      std::size_t const end = at_most_size(begin + 2 * run);
      std::size_t left = begin;
      std::size_t right = middle;
      for (std::size_t out = begin; out < end; ++out) {
        bool const takes_right = left == middle || (right < end && before(elements[right], elements[left]));
        other[out] = std::move(elements[takes_right ? right++ : left++]);
      }
    }
    std::swap(elements, other);
  }
}

}  // namespace weir::inline v1::detail
