#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "weir/core/half.hpp"
#include "weir/cuda/kernels/partition.cuh"

using weir::detail::CommonAlignment;
using weir::detail::Partition;

TEST_CASE("head, packs and tail make the vector, and the packs are aligned") {
  alignas(64) static float memory[256];
  for (std::size_t offset = 0; offset < 32; ++offset) {
    CommonAlignment const alignment(memory + offset);
    CHECK(alignment.exists());
    CHECK(alignment.head() < 4);
    CHECK(reinterpret_cast<std::uintptr_t>(memory + offset + alignment.head()) % 16 == 0);
    for (std::size_t size = 0; size < 130; ++size) {
      Partition const partition = Partition::of(size, 4, alignment.head());
      CHECK(partition.head + 4 * partition.packs + partition.tail == size);
      CHECK(partition.tail < 4);
      CHECK((partition.packs == 0 || partition.head == alignment.head()));
    }
  }
}

TEST_CASE("arrays are aligned together where their elements reach a multiple of 16 bytes together") {
  alignas(64) static float floats[64];
  alignas(64) static weir::half halves[64];
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 16; ++j) {
      CommonAlignment same(floats + i);
      same.include(floats + j);
      CHECK(same.exists() == (i % 4 == j % 4));
      CommonAlignment mixed(halves + i);
      mixed.include(floats + j);
      CHECK(mixed.exists() == (((8 - i % 8) % 8 + j) % 4 == 0));
    }
  }
}
