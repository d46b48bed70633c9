#include "weir/host/kernels/lane_masks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/each_width.hpp"

namespace {

namespace detail = weir::detail;

/// Packs the numbers above a limit.
template <class Integer>
struct PackAbove {
  Integer const* numbers;
  Integer limit;
  Integer* out;
  std::uint32_t* masks;
  std::size_t* counts;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Integer));
    using Numbers = weir::Lanes<Integer, lanes>;
    Numbers limits = {};
    limits += limit;
    std::size_t count = 0;
    for (std::size_t i = begin; i < end; i += static_cast<std::size_t>(lanes)) {
      Numbers here;
      __builtin_memcpy(&here, numbers + i, sizeof(here));
      std::uint32_t const mask = detail::mask_above<Integer, lanes>(here, limits);
      for (int lane = 0; lane < lanes; ++lane) masks[i + static_cast<std::size_t>(lane)] = mask >> lane & 1u;
      if constexpr (VectorBytes == 64) {
        detail::store_packed<Integer, lanes>(here, mask, out + count);
        count += detail::bits_in(mask);
      }
    }
    *counts = count;
  }
};

template <class Integer>
void check_type() {
  std::vector<Integer> numbers(256), expected;
  std::vector<std::uint32_t> is_above(256), masks(256);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<Integer>((i * 7919) % 257) - 100;
    is_above[i] = numbers[i] > 20 ? 1u : 0u;
    if (numbers[i] > 20) expected.push_back(numbers[i]);
  }
  std::vector<Integer> out(numbers.size() + 16);
  std::size_t count = 0;
  with_each_width(
      0, numbers.size(),
      [&] {
        masks.assign(256, 77);
        count = 0;
        return PackAbove<Integer>{numbers.data(), 20, out.data(), masks.data(), &count};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(masks == is_above);
        if (count != 0) CHECK(std::vector<Integer>(out.data(), out.data() + count) == expected);
      });
}

}  // namespace

TEST_CASE("a comparison's mask has a bit for each lane, and packing keeps those lanes in order") {
  check_type<std::int32_t>();
  check_type<std::int64_t>();
}
