#include "weir/host/kernels/transpose_square.hpp"

#include <doctest/doctest.h>

#include "host/kernels/product_widths.hpp"
#include "weir/host/load_store.hpp"

namespace {

template <class Real>
struct Kernel {
  Real const* from;
  Real* to;
  int* side;
  weir::detail::ProductParts parts{1, 1, 1, 1, 1};

  static constexpr bool permutes = false;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t) const {
    constexpr int count = VectorBytes / static_cast<int>(sizeof(Real));
    *side = count;
    weir::Lanes<Real, count> rows[count];
    for (int i = 0; i < count; ++i) weir::detail::load<Real, count>(from + 16 * i, rows[i]);
    weir::detail::transpose_square<Real, count>(rows);
    for (int i = 0; i < count; ++i) weir::detail::store<Real, count>(rows[i], to + 16 * i);
  }
};

template <class Real>
void check_each_width() {
  Real from[256], to[256];
  int side = 0;
  for (int i = 0; i < 256; ++i) from[i] = static_cast<Real>(i);
  with_each_product_width(
      [&] {
        return Kernel<Real>{from, to, &side};
      },
      [&](char const* width) {
        CAPTURE(width);
        REQUIRE(side > 1);
        for (int i = 0; i < side; ++i) {
          for (int j = 0; j < side; ++j) CHECK(to[16 * i + j] == from[16 * j + i]);
        }
      });
}

TEST_CASE("rows become columns, at every width") {
  check_each_width<float>();
  check_each_width<double>();
}

}  // namespace
