#include "weir/host/kernels/transpose_halves.hpp"

#include <doctest/doctest.h>

#include "weir/host/kernels/product_dispatch.hpp"

namespace {

struct Kernel {
  float const* from;
  float* to;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t) const {
    constexpr int count = VectorBytes / 4;
    weir::Lanes<float, count> rows[count / 2];
    for (int i = 0; i < count / 2; ++i)
      weir::detail::load_halves<float, count>(from + 16 * i, from + 16 * i + 8, rows[i]);
    weir::detail::transpose_halves<float, count>(rows);
    for (int i = 0; i < count / 2; ++i)
      weir::detail::store_halves<float, count>(rows[i], to + 16 * i, to + 16 * i + 8);
  }
};

TEST_CASE("both halves are transposed, at every width") {
  float from[128], to[128];
  for (int i = 0; i < 128; ++i) from[i] = static_cast<float>(i);
  auto const compare = [&](int half) {
    for (int i = 0; i < half; ++i) {
      for (int j = 0; j < half; ++j) {
        CHECK(to[16 * i + j] == from[16 * j + i]);
        CHECK(to[16 * i + 8 + j] == from[16 * j + 8 + i]);
      }
    }
  };
  Kernel const kernel{from, to};
  kernel.run<16>(0);
  compare(2);
#if defined(__x86_64__)
  if (weir::detail::has_avx2_and_fma()) {
    weir::detail::multiply_avx2(kernel, 0);
    compare(4);
  }
  if (weir::detail::has_avx512()) {
    weir::detail::multiply_avx512(kernel, 0);
    compare(8);
  }
#endif
}

}  // namespace
