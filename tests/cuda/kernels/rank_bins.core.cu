#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/kernels/rank_bins.cuh"

using weir::detail::BinWindow;
using weir::detail::FoundBin;
using weir::detail::SparsifyLayout;

TEST_CASE("a window has the highest bins there are counters for, and no key below the lowest") {
  auto const all = BinWindow<std::uint32_t>::below(0x3f80'0000u, 1, 15);
  CHECK(all.low == ((0x3f80'0000u >> 15) - 4095) << 15);
  CHECK(all.bin(0x3f80'0000u) == 4095);
  CHECK(all.has(all.low));
  CHECK(!all.has(all.low - 1));
  CHECK(!all.has(0x3f80'0001u));
  auto const few = BinWindow<std::uint32_t>::below(0x17ffu, 0x1003u, 7);
  CHECK(few.low == 0x1000u);
  CHECK(!few.has(0x1002u));
  CHECK(few.has(0x1003u));
  CHECK(few.bin(0x17ffu) == 15);
  CHECK(few.key_of(15) == 0x1780u);
  auto const zeros = BinWindow<std::uint64_t>::below(0x3ff, 1, 44);
  CHECK(!zeros.has(0));
  CHECK(zeros.bin(1) == 0);
}

TEST_CASE("the bin that holds a rank is found, wherever it is, and the counters are cleared") {
  play::Block const block;
  std::vector<std::uint64_t> counters(SparsifyLayout::bins);
  static std::uint64_t sums[weir::detail::search_threads];
  for (std::size_t const bin : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16},
                                std::size_t{2000}, std::size_t{4095}}) {
    for (std::uint64_t rank = 1; rank <= 12; ++rank) {
      counters.assign(counters.size(), 0);
      counters[bin] = 5;
      counters[bin / 2] += 3;
      counters[4095] += 2;
      std::uint64_t above = 0;
      std::size_t expected = SparsifyLayout::bins;
      std::uint64_t inside = 0;
      for (std::size_t i = SparsifyLayout::bins; i-- > 0;) {
        if (above + counters[i] >= rank) {
          expected = i;
          inside = counters[i];
          break;
        }
        above += counters[i];
      }
      FoundBin found;
      weir::detail::find_bin(block, counters.data(), rank, sums, found);
      CHECK(found.inside == inside);
      CHECK(found.above == above);
      if (inside != 0) CHECK(found.bin == expected);
      for (std::uint64_t const count : counters) REQUIRE(count == 0);
    }
  }
}
