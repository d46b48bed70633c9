#include "weir/exec/tail_lane.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "host/verb_oracle.hpp"

namespace {

using weir::detail::TailLane;
using weir::detail::TailNode;

template <class Real>
TailNode node_of(std::vector<Real> const& values) {
  TailLane<Real> lane;
  for (Real value : values) lane.add(value);
  return lane.node();
}

/// In long double, straight from the definitions.
template <class Real>
void check_node(TailNode const& node, std::vector<Real> const& values, double tolerance = 1e-13) {
  std::uint64_t bad = 0, count = 0;
  long double sum = 0, logarithms = 0, deviations = 0, smallest = 1e400L, largest = 0;
  for (Real value : values) {
    if (!std::isfinite(value)) ++bad;
    if (!std::isfinite(value) || value == 0) continue;
    long double const x = std::abs(static_cast<long double>(value));
    ++count;
    sum += x;
    logarithms += std::log(x);
    smallest = x < smallest ? x : smallest;
    largest = x > largest ? x : largest;
  }
  for (Real value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    long double const apart =
        std::abs(static_cast<long double>(value)) - sum / static_cast<long double>(count);
    deviations += apart * apart;
  }
  CHECK(node.non_finite == bad);
  CHECK(node.participants == count);
  if (count == 0) return;
  CHECK(node.smallest == static_cast<double>(smallest));
  CHECK(node.largest == static_cast<double>(largest));
  CHECK(std::abs(static_cast<long double>(node.sum) - sum) <= tolerance * sum);
  CHECK(std::abs(static_cast<long double>(node.squared_deviations) - deviations) <= tolerance * deviations);
  CHECK(std::abs(static_cast<long double>(node.sum_of_logarithms) - logarithms) <=
        tolerance * (std::abs(logarithms) + 1));
}

template <class Real>
void check_lanes() {
  oracle::Numbers numbers(1);
  Real const nan = std::numeric_limits<Real>::quiet_NaN(), infinite = std::numeric_limits<Real>::infinity();
  for (std::vector<Real> const& values :
       {std::vector<Real>{}, std::vector<Real>{0, nan, -infinite, Real(-0.0)},
        std::vector<Real>{0, -3, nan}}) {
    check_node(node_of(values), values);
  }
  for (int repeat = 0; repeat < 100; ++repeat) {
    auto values = numbers.vector<Real>(64);
    values[7] = nan;
    values[static_cast<std::size_t>(repeat) % 64] = 0;
    check_node(node_of(values), values);
  }
  Real const tiny = std::numeric_limits<Real>::denorm_min(), least = std::numeric_limits<Real>::min();
  std::vector<Real> const small{tiny, 3 * tiny, -least, least / 2, 1};
  check_node(node_of(small), small);
}

}  // namespace

TEST_CASE("a lane has the counts, the extremes and the sums of its elements") {
  check_lanes<float>();
  check_lanes<double>();
}

TEST_CASE("narrow data far from zero keep their variance, whatever comes first") {
  // 1e6 +- 1/4: a difference of sums of squares would have lost it in float and most of it in double.
  for (float first : {1e6f, 1e-6f, 1e12f}) {
    std::vector<float> values{first};
    for (int i = 1; i < 64; ++i) values.push_back(i % 2 == 0 ? 1e6f : 1e6f + 0.25f);
    check_node(node_of(values), values, 1e-12);  // 64 roundings
  }
}

TEST_CASE("numbers whose squares a float could not hold") {
  std::vector<float> const large{1e25f, 2e25f, 3e25f}, small{1e-26f, 5e-26f};
  check_node(node_of(large), large);
  check_node(node_of(small), small);
}

TEST_CASE("nodes are merged as if all had been one, and empty ones change nothing") {
  oracle::Numbers numbers(2);
  auto const left = numbers.vector<float>(50), right = numbers.vector<float>(20);
  std::vector<float> all = left;
  all.insert(all.end(), right.begin(), right.end());
  TailNode node = node_of(left);
  node.merge(node_of(right));
  check_node(node, all);

  TailNode const before = node;
  node.merge(node_of<float>({0.0f, std::nanf("")}));
  CHECK(node.non_finite == 1);
  CHECK(node.sum == before.sum);
  CHECK(node.squared_deviations == before.squared_deviations);
  TailNode empty = node_of<float>({INFINITY});
  empty.merge(before);
  CHECK(empty.non_finite == 1);
  CHECK(empty.participants == before.participants);
  CHECK(empty.smallest == before.smallest);
  CHECK(empty.sum_of_logarithms == before.sum_of_logarithms);
}
