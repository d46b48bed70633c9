#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/fill.cuh"

namespace {

template <class Word>
void check_fill() {
  using Fill = weir::detail::DeviceFill<Word>;
  for (std::size_t size : {1u, 7u, 129u, 5000u}) {
    for (std::size_t head : {0u, 1u}) {
      for (std::uint64_t condition : {0u, 5u}) {
        std::vector<Word> out(size + 9, Word{3});
        auto const partition = weir::detail::Partition::of(size, Fill::width, head);
        play::tiles<Fill::width>(Fill{out.data(), Word{7}, &condition}, partition);
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == (condition != 0 && i < size ? 7 : 3));
        play::tiles<Fill::width>(Fill{out.data(), Word{9}}, partition);
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == (i < size ? 9 : 3));
      }
    }
  }
}

}  // namespace

TEST_CASE("words of each size are filled, under a condition if there is one") {
  check_fill<std::uint16_t>();
  check_fill<std::uint32_t>();
  check_fill<std::uint64_t>();
}
