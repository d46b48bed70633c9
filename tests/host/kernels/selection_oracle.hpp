#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "weir/exec/magnitude_key.hpp"

/// The specified selection in plain words: sort everything, count.
namespace selection_oracle {

template <class Real>
struct Expected {
  Real threshold = 0;
  std::vector<std::uint32_t> indices;  // ascending
  std::uint64_t wanted = 0;
};

template <class Real>
auto key_of(Real value) {
  return weir::MagnitudeKey<Real>::of(value);
}

/// Finite slots that are not 0, by (larger magnitude, then smaller index).
template <class Real>
std::vector<std::uint32_t> ranked(std::vector<Real> const& values) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]) && values[i] != 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return std::abs(values[a]) > std::abs(values[b]); });
  return order;
}

/// The refinement by bins, for k below the number of participants.
template <class Real>
Expected<Real> by_bins(std::vector<Real> const& values, std::vector<std::uint32_t> const& order,
                       std::uint64_t k) {
  using Key = weir::MagnitudeKey<Real>;
  auto const kth = key_of(values[order[k - 1]]);
  std::uint64_t const tolerance = k < 100 ? 0 : k / 100;
  std::vector<unsigned> const shifts =
      sizeof(Real) == 4 ? std::vector<unsigned>{15, 7, 0} : std::vector<unsigned>{44, 32, 20, 8, 0};
  Expected<Real> expected;
  auto const take = [&](std::uint64_t count, typename Key::Bits threshold) {
    expected.indices.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    expected.threshold = Key::value(threshold);
    expected.wanted = count;
    return expected;
  };
  for (unsigned shift : shifts) {
    auto const bin = kth >> shift;
    std::uint64_t above = 0, inside = 0;
    for (auto i : order) {
      auto const other = key_of(values[i]) >> shift;
      above += other > bin ? 1 : 0;
      inside += other == bin ? 1 : 0;
    }
    std::uint64_t const missing = k - above, surplus = above + inside - k;
    bool const fewer = missing <= tolerance && above >= 1;
    bool const more = surplus <= tolerance;
    typename Key::Bits const low = bin << shift;
    if (fewer && (!more || missing <= surplus)) {
      return take(above, static_cast<typename Key::Bits>(low + ((typename Key::Bits{1} << shift) - 1)));
    }
    if (more) return take(above + inside, low == 0 ? 0 : static_cast<typename Key::Bits>(low - 1));
  }
  return take(k, kth);
}

struct Goal {
  std::uint64_t k = 0;
  bool is_exact = false;  // else within one in a hundred
  std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
  bool propagates = false;
};

/// Nothing, if something is not finite and the goal does not propagate it.
template <class Real>
Expected<Real> largest(std::vector<Real> const& values, Goal const& goal) {
  Expected<Real> expected;
  std::vector<std::uint32_t> non_finite;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) non_finite.push_back(i);
  }
  if (!non_finite.empty() && !goal.propagates) return expected;
  auto const order = ranked(values);
  std::uint64_t const k = goal.k - std::min<std::uint64_t>(goal.k, non_finite.size());
  auto const first = [&](std::uint64_t count) {
    expected.indices.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    expected.wanted = count;
  };
  if (k == 0 || order.empty()) {
    first(0);
  } else if (order.size() <= k) {
    first(order.size());
  } else if (std::abs(values[order.front()]) == std::abs(values[order.back()])) {
    first(k);
    expected.threshold = std::abs(values[order.front()]);
  } else if (goal.is_exact) {
    first(k);
    expected.threshold = std::abs(values[order[k - 1]]);
  } else {
    expected = by_bins(values, order, k);
  }
  expected.wanted += non_finite.size();
  if (expected.wanted > goal.capacity) {
    if (non_finite.size() >= goal.capacity) {
      non_finite.resize(goal.capacity);
      expected.indices.clear();
      expected.threshold = std::numeric_limits<Real>::infinity();
    } else {
      std::uint64_t const wanted = expected.wanted;
      first(std::min<std::uint64_t>(k, goal.capacity - non_finite.size()));
      expected.wanted = wanted;
      expected.threshold = std::abs(values[expected.indices.back()]);
    }
  }
  expected.indices.insert(expected.indices.end(), non_finite.begin(), non_finite.end());
  std::sort(expected.indices.begin(), expected.indices.end());
  return expected;
}

}  // namespace selection_oracle
