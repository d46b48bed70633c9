#include "weir/host/kernels/fill.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"

namespace {

template <class Element>
void check_fill(Element value) {
  std::vector<Element> values;
  using Kernel = weir::detail::Elementwise<weir::detail::Fill<Element>>;
  with_each_width(
      1, 133,
      [&] {
        values.assign(140, Element(3.0f));
        return Kernel{weir::detail::Fill<Element>(values.data(), value)};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (std::size_t i = 0; i < values.size(); ++i) {
          Element const expected = i >= 1 && i < 133 ? value : Element(3.0f);
          CHECK(oracle::bits_of(values[i]) == oracle::bits_of(expected));
        }
      });
}

}  // namespace

TEST_CASE("elements of any width are filled, bit by bit") {
  check_fill(-0.0f);
  check_fill(-0.1);
  check_fill(weir::half(-2.5f));
  check_fill(weir::bfloat16::from_bits(0x7fa5));
}
