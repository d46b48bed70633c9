#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "host/verb_oracle.hpp"
#include "weir/cuda/kernels/select_slots.cuh"

namespace {

using weir::detail::SparsifyLayout;
using weir::detail::UnitCounts;
using weir::detail::UnitPlace;

/// Notes what is written where.
struct Note {
  std::size_t* slots;
  float* values;
  unsigned* times;
  std::size_t size;

  WEIR_HOST_DEVICE void operator()(std::uint64_t place, std::size_t slot, float value) const {
    std::size_t const at = place < size ? static_cast<std::size_t>(place) : size;
    slots[at] = slot;
    values[at] = value;
    ++times[at];
  }
};

void check(std::vector<float> const& values, weir::SlotCut<float> const& cut) {
  play::Block const block;
  play::Warp const warp;
  SparsifyLayout const layout = SparsifyLayout::of(values.size());
  weir::detail::AllOfUnit<float> const source{values.data(), layout};
  std::vector<UnitCounts> counts(layout.units);
  std::vector<UnitPlace> places(layout.units);
  static UnitPlace sums[weir::detail::search_threads];
  UnitPlace total;
  for (std::size_t unit = 0; unit < layout.units; ++unit) {
    weir::detail::count_unit(warp, source, unit, cut, counts.data());
  }
  weir::detail::place_units(block, counts.data(), places.data(), layout.units, sums, total);
  std::vector<std::size_t> slots(values.size() + 1);
  std::vector<float> found(values.size() + 1);
  std::vector<unsigned> times(values.size() + 1);
  for (std::size_t unit = layout.units; unit-- > 0;) {
    weir::detail::write_unit(warp, source, unit, cut, places[unit],
                             Note{slots.data(), found.data(), times.data(), values.size()});
  }
  std::uint64_t ties = cut.ties, others = cut.non_finite;
  std::size_t expected = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    unsigned const kind = weir::detail::kind_of(values[i], cut);
    bool const is_taken = kind == 1 || (kind == 2 && ties > 0) || (kind == 4 && others > 0);
    if (kind == 2 && ties > 0) --ties;
    if (kind == 4 && others > 0) --others;
    if (!is_taken) continue;
    REQUIRE(slots[expected] == i);
    REQUIRE(times[expected] == 1);
    REQUIRE(oracle::same(found[expected], values[i]));
    ++expected;
  }
  for (std::size_t place = expected; place < times.size(); ++place) REQUIRE(times[place] == 0);
}

}  // namespace

TEST_CASE("the slots of a cut are written in ascending order, ties and what is not finite by index") {
  for (std::size_t const size : {1u, 31u, 33u, 512u, 513u, 300'000u}) {
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i) {
      float const signs[] = {1.0f, -1.0f};
      values[i] = static_cast<float>(i * i % 7) * signs[i % 2];
      if (i % 50 == 9) values[i] = i % 100 == 9 ? 1.0f / 0.0f : 0.0f / 0.0f;
    }
    for (float const threshold : {0.0f, 2.0f, 4.0f, 1.0f / 0.0f}) {
      for (std::uint64_t const some : {0u, 3u, 1000u}) check(values, {threshold, some, some / 2});
    }
  }
}
