#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/tile.cuh"

namespace {

template <int Loads>
struct Count {
  static constexpr int loads = Loads;
  unsigned char* visits;
  std::size_t head;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink) const {
    for (std::size_t row = 0; row < Rows; ++row) {
      for (std::size_t i = 0; i < Width; ++i) {
        std::size_t const element = first + row * stride + i;
        ++visits[element];
        // A pack lies as packs must.
        if (Width > 1 && (first + row * stride - head) % Width != 0) visits[element] = 100;
      }
    }
  }
};

template <int Width, int Loads>
bool each_once(std::size_t head, std::size_t size) {
  std::vector<unsigned char> visits(size + 64);
  auto const partition = weir::detail::Partition::of(size, Width, head);
  play::tiles<Width>(Count<Loads>{visits.data(), head}, partition);
  for (std::size_t i = 0; i < visits.size(); ++i) {
    if (visits[i] != (i < size ? 1 : 0)) return false;
  }
  return true;
}

template <int Width, int Loads>
void check_sizes() {
  CAPTURE(Width);
  CAPTURE(Loads);
  std::size_t failures = 0;
  for (std::size_t head = 0; head < Width; ++head) {
    for (std::size_t size = 1; size < 130; ++size) failures += each_once<Width, Loads>(head, size) ? 0 : 1;
    std::size_t const row = 256 * Width;
    for (std::size_t packs : {1u, 2u, 3u, 4u, 5u, 8u, 9u}) {
      for (std::size_t more : {std::size_t{0}, std::size_t{1}, std::size_t{Width - 1}, row - 1}) {
        failures += each_once<Width, Loads>(head, head + packs * row + more) ? 0 : 1;
      }
    }
  }
  CHECK(failures == 0);
}

}  // namespace

TEST_CASE("tiles cover each element exactly once, whatever the width, the head, the size and the rows") {
  check_sizes<1, 1>();
  check_sizes<1, 8>();
  check_sizes<2, 1>();
  check_sizes<2, 4>();
  check_sizes<4, 1>();
  check_sizes<4, 2>();
  check_sizes<4, 3>();
  check_sizes<4, 8>();
  check_sizes<8, 1>();
  check_sizes<8, 6>();
}
