#include "weir/host/kernels/find_above.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/each_width.hpp"
#include "weir/host/kernels/selection_input.hpp"

namespace {

namespace detail = weir::detail;

template <class Real>
void check_type() {
  using Key = weir::MagnitudeKey<Real>;
  for (std::size_t size : {0u, 1u, 63u, 64u, 65u, 1000u}) {
    for (std::size_t one_in : {2u, 3u, 50u, 2000u}) {
      std::vector<Real> values(size);
      for (std::size_t i = 0; i < size; ++i) {
        auto const number = static_cast<int>((i * 7919 + 5) % 1009);
        values[i] = static_cast<Real>(i % one_in == 1 ? number : number % 3 == 0 ? 0 : 1e-3 * number);
        if (i % 2 == 0) values[i] = -values[i];
      }
      if (size > 10) values[7] = std::numeric_limits<Real>::quiet_NaN();
      Real const limit = 2;
      std::size_t const begin = size > 100 ? 3 : 0;
      std::vector<std::uint32_t> expected;
      std::size_t expected_non_zero = 0;
      for (std::size_t i = begin; i < size; ++i) {
        if (Key::of(values[i]) > Key::of(limit)) expected.push_back(static_cast<std::uint32_t>(i - begin));
        expected_non_zero += Key::of(values[i]) != 0 ? 1 : 0;
      }
      for (bool is_rare : {false, true}) {
        std::vector<std::uint32_t> positions(size + 64);
        std::vector<Real> kept(size + 64);
        std::size_t found = 0, non_zero = 0;
        with_each_width(
            begin, size,
            [&] {
              return detail::FindAbove<detail::GivenInput<Real>>{
                  {values.data()}, Key::of(limit), positions.data(), kept.data(), &found, &non_zero, is_rare};
            },
            [&](char const* width) {
              CAPTURE(width);
              REQUIRE(found == expected.size());
              bool is_same = true;
              for (std::size_t i = 0; i < found; ++i) {
                is_same = is_same && positions[i] == expected[i] &&
                          __builtin_memcmp(&kept[i], &values[begin + positions[i]], sizeof(Real)) == 0;
              }
              CHECK(is_same);
              CHECK(non_zero == expected_non_zero);
            });
      }
    }
  }
}

}  // namespace

TEST_CASE("positions and values above a guard come in order, in vectors of any width, few or many") {
  check_type<float>();
  check_type<double>();
}
