#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/collect.cuh"
#include "weir/cuda/kernels/measure.cuh"

namespace {

using Key = weir::MagnitudeKey<float>;

template <int Width>
void check(std::size_t begin, std::size_t end, float threshold, std::size_t room) {
  CAPTURE(Width);
  CAPTURE(begin);
  CAPTURE(end);
  CAPTURE(room);
  auto values = oracle::Numbers(3).vector<float>(end);
  for (std::size_t i = 0; i < end; i += 7) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
  for (std::size_t i = 5; i < end; i += 211) values[i] = i % 2 == 0 ? 1.0f / 0.0f : 0.0f / 0.0f;
  std::vector<float> found(room + 1, 77.0f);
  std::vector<std::uint32_t> offsets(room + 1, 77);
  play::Warp::Value<weir::detail::Census<float>> census{};
  std::uint32_t const count = weir::detail::collect_unit<Width>(
      play::Warp{}, weir::detail::DeviceRead<float>{values.data()}, begin, end, Key::of(threshold),
      weir::detail::CandidateRoom<float>{found.data(), offsets.data(), room}, census);
  weir::detail::fold_threads(play::Warp{}, census, 1);
  weir::detail::Census<float> expected;
  std::size_t place = 0;
  for (std::size_t i = begin; i < end; ++i) {
    auto const key = Key::of(values[i]);
    expected.add(key);
    if (key <= Key::of(threshold)) continue;
    if (place < room) {
      CHECK(offsets[place] == i - begin);
      CHECK(oracle::same(found[place], values[i]));
    }
    ++place;
  }
  CHECK(count == place);
  CHECK(found[room] == 77.0f);
  CHECK(offsets[room] == 77);
  CHECK(census.of_thread[0].non_finite == expected.non_finite);
  CHECK(census.of_thread[0].participants == expected.participants);
  CHECK(census.of_thread[0].smallest == expected.smallest);
  CHECK(census.of_thread[0].largest == expected.largest);
}

}  // namespace

TEST_CASE("a unit's candidates are in the order of their slots, no more than there is room for") {
  for (std::size_t const length : {0u, 1u, 31u, 32u, 33u, 512u, 700u, 1024u}) {
    for (float const threshold : {0.0f, 0.5f, 100.0f}) {
      check<1>(512, 512 + length, threshold, 2000);
      check<4>(512, 512 + length, threshold, 2000);
      check<4>(512, 512 + length, threshold, 9);
    }
  }
}
