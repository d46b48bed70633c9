#include "weir/cuda/sparsify_layout.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>

using weir::detail::SparsifyLayout;

TEST_CASE("units and subtrees cover a bucket of any size, and are no more than may be") {
  for (std::size_t const size :
       {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{513}, std::size_t{1} << 23,
        (std::size_t{1} << 23) + 1, std::size_t{262'144'000}, (std::size_t{1} << 33) + 5}) {
    CAPTURE(size);
    SparsifyLayout const layout = SparsifyLayout::of(size);
    CHECK(layout.units <= SparsifyLayout::most_units);
    CHECK(layout.units * layout.unit >= size);
    if (size != 0) CHECK((layout.units - 1) * layout.unit < size);
    CHECK((layout.unit & (layout.unit - 1)) == 0);
    CHECK(layout.subtrees <= SparsifyLayout::most_subtrees);
    CHECK(layout.subtrees * layout.subtree * weir::detail::leaf_elements >= size);
    CHECK((layout.subtree & (layout.subtree - 1)) == 0);
  }
}

TEST_CASE("the parts of the scratch memory follow each other, aligned to what lies in them") {
  for (std::size_t const size : {1u, 1000u, 77'777u, 9'000'001u}) {
    SparsifyLayout const layout = SparsifyLayout::of(size);
    CHECK(layout.counters() % 16 == 0);
    CHECK(layout.nodes() % 16 == 0);
    CHECK(layout.counts() - layout.nodes() == layout.subtrees * SparsifyLayout::subtree_bytes);
    CHECK(layout.counts() % 16 == 0);
    CHECK(layout.places() % 8 == 0);
    CHECK(layout.found() % 8 == 0);
    CHECK(layout.values() % 8 == 0);
    CHECK(layout.values() - layout.found() == layout.units * 8);
    CHECK(layout.offsets(8) - layout.values() == layout.units * layout.unit / 4 * 8);
    CHECK(layout.bytes(4) == layout.offsets(4) + layout.units * layout.unit);
  }
}

TEST_CASE("what is enough for a bucket is enough for all smaller ones") {
  for (std::size_t const bytes_of_real : {4u, 8u}) {
    std::size_t most = 0;
    for (std::size_t power = 1; power <= std::size_t{1} << 27; power *= 2) {
      for (std::size_t const size : {power - 1, power, power + 1, power + power / 3}) {
        CAPTURE(size);
        CHECK(SparsifyLayout::most_bytes(size, bytes_of_real) >= most);
        CHECK(SparsifyLayout::most_bytes(size, bytes_of_real) >=
              SparsifyLayout::of(size).bytes(bytes_of_real));
        most = SparsifyLayout::most_bytes(size, bytes_of_real);
      }
    }
  }
  CHECK(SparsifyLayout::of((1u << 23) + 1).bytes(4) < SparsifyLayout::of(1u << 23).bytes(4));
}
