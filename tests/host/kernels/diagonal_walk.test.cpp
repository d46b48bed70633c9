#include "weir/host/kernels/diagonal_walk.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/mask/design/cyclic.hpp"

namespace {

/// The inputs above -lanes and below the order, as a walk finds them and as the definition has them.
template <bool Transposed>
void check_walks(weir::CyclicLayout const& layout, std::size_t lanes) {
  auto const order = static_cast<std::ptrdiff_t>(layout.order);
  for (std::size_t output = 0; output + lanes <= layout.order; ++output) {
    CAPTURE(output);
    std::vector<std::ptrdiff_t> found, wanted;
    weir::detail::DiagonalWalk<Transposed> walk(layout, output, lanes);
    for (; walk.input(layout) < order; walk.next(layout)) {
      found.push_back(walk.input(layout));
      auto const at = static_cast<std::size_t>((walk.input(layout) + order) % order);
      std::size_t const row = Transposed ? at : output, column = Transposed ? output : at;
      CHECK(layout.column(row, walk.diagonal()) == column);
    }
    for (std::ptrdiff_t input = 1 - static_cast<std::ptrdiff_t>(lanes); input < order; ++input) {
      auto const at = static_cast<std::size_t>((input + order) % order);
      if (Transposed ? layout.contains(at, output) : layout.contains(output, at)) wanted.push_back(input);
    }
    CHECK(found == wanted);
  }
}

TEST_CASE("a walk meets the inputs in ascending order, those first that have come around") {
  for (auto const& design :
       {weir::CyclicDesign(13, {0, 1, 3, 9}), weir::CyclicDesign(21, {3, 6, 7, 12, 14}),
        weir::CyclicDesign(16, {0}), weir::CyclicDesign(17, {16}), weir::CyclicDesign(5, {0, 1, 2, 3, 4})}) {
    for (std::size_t const lanes : {1u, 4u, 5u}) {
      CAPTURE(lanes);
      check_walks<false>(design.layout(), lanes);
      check_walks<true>(design.layout(), lanes);
    }
  }
}

}  // namespace
