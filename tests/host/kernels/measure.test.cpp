#include "weir/host/kernels/measure.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <limits>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

namespace {

template <class Element>
void check_widths() {
  oracle::Numbers numbers(9);
  for (std::size_t size : {1u, 63u, 64u, 65u, 4095u, 4096u, 4097u, 29'001u}) {
    CAPTURE(size);
    auto values = numbers.vector<Element>(size);
    for (std::size_t i = 3; i < size; i += 1000) values[i] = Element(std::numeric_limits<float>::infinity());
    for (std::size_t i = 4; i < size; i += 1000) values[i] = Element(std::numeric_limits<float>::quiet_NaN());
    auto const reference = oracle::measure(values);
    weir::detail::SquareSum measured;
    using Kernel = weir::detail::LeafSegment<weir::detail::SquareLeaf, Element, weir::detail::NoWork>;
    with_each_width(
        0, size,
        [&] {
          return Kernel{values.data(), {}, &measured};
        },
        [&](char const* width) {
          CAPTURE(width);
          CHECK(measured.sum == reference.sum_of_squares);
          CHECK(measured.non_finite == reference.non_finite);
        });
  }
}

struct Increment {
  double* values;

  template <int VectorBytes>
  void run(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i < end; ++i) values[i] += 1;
  }
};

}  // namespace

TEST_CASE("a measurement is the same in vectors of any width") {
  check_widths<float>();
  check_widths<double>();
  check_widths<weir::half>();
  check_widths<weir::bfloat16>();
}

TEST_CASE("the segments cover a vector of any size, and there is always room for their measurements") {
  using Segments = weir::detail::MeasuredSegments;
  for (std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{65536}, std::size_t{65537}, std::size_t{128} * 65536,
        std::size_t{128} * 65536 + 1, (std::size_t{1} << 31) + 17}) {
    Segments const segments(size);
    CHECK(segments.count <= Segments::most);
    CHECK(std::has_single_bit(segments.length / weir::detail::leaf_elements));
    CHECK(segments.count * segments.length >= size);
    if (segments.count > 0) CHECK((segments.count - 1) * segments.length < size);
  }
}

TEST_CASE("work that comes before is done block by block, once for each element") {
  weir::ThreadTeam team(2);
  std::vector<double> values(300'000, 1.0);
  auto const measured = weir::detail::sum_leaves_after<weir::detail::SquareLeaf>(
      Increment{values.data()}, team, values.data(), values.size(), 8);
  CHECK(measured.sum == 4.0 * 300'000);
  CHECK(measured.non_finite == 0);
  CHECK(values == std::vector<double>(300'000, 2.0));
}
