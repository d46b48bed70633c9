#include "weir/host/kernels/leaf_keys.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/each_width.hpp"

namespace {

namespace detail = weir::detail;

template <class Real>
struct KeysKernel {
  Real const* values;
  typename weir::MagnitudeKey<Real>::Bits limit;
  detail::LeafKeys<Real>* out;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    *out = detail::LeafKeys<Real>::template of<VectorBytes>(values + begin, end - begin, limit);
  }
};

template <class Real>
void check(std::vector<Real> const& values, Real above) {
  using Key = weir::MagnitudeKey<Real>;
  auto const limit = Key::of(above);
  detail::LeafKeys<Real> expected, keys;
  for (Real value : values) {
    auto const key = Key::of(value);
    if (key >= Key::infinity) {
      ++expected.non_finite;
    } else if (key > limit) {
      ++expected.participants;
      expected.smallest = key < expected.smallest ? key : expected.smallest;
      expected.largest = key > expected.largest ? key : expected.largest;
    }
  }
  with_each_width(
      0, values.size(),
      [&] {
        keys = {};
        return KeysKernel<Real>{values.data(), limit, &keys};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(keys.non_finite == expected.non_finite);
        CHECK(keys.participants == expected.participants);
        CHECK(keys.smallest == expected.smallest);
        CHECK(keys.largest == expected.largest);
      });
}

template <class Real>
void check_type() {
  using Limits = std::numeric_limits<Real>;
  for (std::size_t size : {0u, 1u, 17u, 200u}) {
    std::vector<Real> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<Real>((i * 7919) % 101) / 8 - 6;
    for (Real above : {Real{0}, Real{5}, Real{100}, Limits::max()}) check(values, above);
    if (size < 10) continue;
    values[0] = Limits::max();
    values[size / 2] = Limits::denorm_min();
    check(values, Real{0});
    check(values, Real{5});
    values[size - 1] = Limits::quiet_NaN();
    values[5] = -Limits::infinity();
    check(values, Real{0});
    check(values, Real{5});
  }
}

}  // namespace

TEST_CASE("counts, smallest and largest key above a limit, in vectors of any width") {
  check_type<float>();
  check_type<double>();
}
