#include "weir/host/kernels/group_vectors.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "weir/mask/design/group.hpp"

namespace {

/// Each lane of a vector of packed cells takes the input that its entry has.
template <class Real, int Count>
void check_packed(std::uint32_t n, std::uint32_t levels) {
  weir::GroupDesign const design{{.outputs = n, .inputs = 40 * n, .group = n, .levels = levels}};
  auto const layout = design.layout();
  weir::detail::GroupVectors<Real, Count> const v(layout);
  REQUIRE(v.packed == Count / n);
  std::uint16_t offsets[400];
  std::uint16_t* end = offsets;
  for (std::size_t c = 0; c < 40; ++c) end = v.write_offsets(0, c, end);
  REQUIRE(end == offsets + 40 * levels);
  std::size_t base = 0;
  std::uint32_t turn = 0;
  for (std::size_t cell = 0; cell + v.packed <= 40 * levels; cell += v.packed) {
    typename weir::detail::GroupVectors<Real, Count>::Index index;
    v.exchanged_packed(offsets + cell, v.places[turn], index);
    for (std::uint32_t lane = 0; lane < Count; ++lane) {
      std::size_t const slot = cell + lane / n;
      CHECK(base + index[lane] == layout.column(lane % n, slot));
    }
    base += v.advance[turn];
    turn = v.next_turn[turn];
  }
}

TEST_CASE("lanes of packed cells take the inputs of their entries") {
  for (std::uint32_t n : {2u, 4u, 8u}) {
    check_packed<float, 16>(n, 1);
    if (n < 8) check_packed<float, 8>(n, 1);
    if (n < 8) check_packed<double, 8>(n, 1);
  }
  check_packed<float, 16>(4, 3);
  check_packed<float, 16>(8, 3);
  check_packed<float, 16>(8, 7);
  check_packed<double, 8>(4, 2);
}

TEST_CASE("larger groups are whole vectors") {
  weir::GroupDesign const design{{.outputs = 64, .inputs = 64, .group = 64}};
  weir::detail::GroupVectors<float, 16> const v(design.layout());
  CHECK(v.is_wide);
  CHECK(v.parts == 4);
  decltype(v.numbers) index;
  v.exchanged(37, index);
  for (std::uint32_t lane = 0; lane < 16; ++lane) {
    std::uint32_t const taken = index[lane];
    CHECK(taken == (lane ^ (37u & 15u)));
  }
}

}  // namespace
