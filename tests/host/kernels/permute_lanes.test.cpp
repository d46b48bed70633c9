#include "weir/host/kernels/permute_lanes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

#include "weir/host/kernels/product_dispatch.hpp"

namespace {

/// Permutes, multiplies-adds and broadcasts vectors of every width.
template <class Number>
struct Kernel {
  static constexpr bool permutes = false;
  Number const* from;
  Number* copies;
  Number* permuted;
  Number* sums;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t part) const {
    constexpr int count = VectorBytes / static_cast<int>(sizeof(Number));
    weir::Lanes<Number, count> values, reversed, sum = {};
    weir::Lanes<weir::detail::LaneNumber<Number>, count> index;
    weir::detail::lane_numbers<Number, count>.load_into(index);
    index = index ^ static_cast<weir::detail::LaneNumber<Number>>(part);
    __builtin_memcpy(&values, from, sizeof(values));
    weir::detail::permute<Number, count>(values, index, reversed);
    weir::detail::fuse_into<Number, count>(values, reversed, sum);
    weir::detail::fuse_into<Number, count>(values, values, sum);
    weir::Lanes<Number, count> same;
    weir::detail::broadcast<Number, count>(from[part], same);
    __builtin_memcpy(copies, &same, sizeof(same));
    __builtin_memcpy(permuted, &reversed, sizeof(reversed));
    __builtin_memcpy(sums, &sum, sizeof(sum));
  }
};

template <class Number>
void check() {
  Number from[16], copies[16], permuted[16], sums[16];
  for (int i = 0; i < 16; ++i) from[i] = std::sqrt(static_cast<Number>(i + 2));
  auto const compare = [&](std::size_t count, std::size_t part) {
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(copies[i] == from[part]);
      CHECK(permuted[i] == from[i ^ part]);
      CHECK(sums[i] == std::fma(from[i], from[i], from[i] * from[i ^ part]));
    }
  };
  Kernel<Number> const kernel{from, copies, permuted, sums};
  for (std::size_t part = 0; part < 16 / sizeof(Number); ++part) {
    kernel.template run<16>(part);
    compare(16 / sizeof(Number), part);
#if defined(__x86_64__)
    if (weir::detail::has_avx2_and_fma()) {
      weir::detail::multiply_avx2(kernel, part);
      compare(32 / sizeof(Number), part);
    }
    if (weir::detail::has_avx512()) {
      weir::detail::multiply_avx512(kernel, part);
      compare(64 / sizeof(Number), part);
    }
#endif
  }
}

TEST_CASE("lanes are permuted, filled with one number, and multiplied and added with one rounding") {
  check<float>();
  check<double>();
}

TEST_CASE("repeat calls with each constant once, in order") {
  int calls = 0;
  weir::detail::repeat<5>([&](auto i) { CHECK(calls++ == i); });
  CHECK(calls == 5);
}

}  // namespace
