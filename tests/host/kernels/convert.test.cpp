#include "weir/host/kernels/convert.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <type_traits>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

using weir::detail::Convert;

static_assert(std::is_same_v<Convert<weir::half, float>::Real, float>);
static_assert(std::is_same_v<Convert<weir::half, double>::Real, double>);
static_assert(std::is_same_v<Convert<double, weir::half>::Real, double>, "so that it is rounded once");

TEST_CASE("double becomes float, rounded to nearest even, and float double, exactly") {
  oracle::Numbers numbers(1);
  auto wide = numbers.vector<double>(301);
  wide[5] = 1 + 0x1p-24;
  wide[6] = 1 + 0x1.8p-23;
  wide[7] = 1e300;
  std::vector<float> narrow;
  std::vector<double> back;
  with_each_width(
      0, wide.size(),
      [&] {
        narrow.assign(wide.size(), 7.0f);
        return weir::detail::Elementwise<Convert<double, float>>{{wide.data(), narrow.data()}};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (std::size_t i = 0; i < wide.size(); ++i) CHECK(narrow[i] == static_cast<float>(wide[i]));
        CHECK(narrow[5] == 1.0f);
        CHECK(narrow[6] == 1 + 0x1p-22f);
      });
  with_each_width(
      0, wide.size(),
      [&] {
        back.assign(wide.size(), 7.0);
        return weir::detail::Elementwise<Convert<float, double>>{{narrow.data(), back.data()}};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (std::size_t i = 0; i < wide.size(); ++i) CHECK(back[i] == static_cast<double>(narrow[i]));
      });
}
