#include "weir/host/kernels/tail_lanes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "host/each_width.hpp"
#include "weir/core/random.hpp"
#include "weir/exec/excess_lane.hpp"

namespace {

namespace detail = weir::detail;
using detail::TailNode;

bool same(TailNode const& one, TailNode const& other) {
  return std::memcmp(&one, &other, sizeof(one)) == 0;
}

template <class Lane>
TailNode folded(std::vector<Lane> const& lanes) {
  std::vector<TailNode> nodes;
  for (Lane const& lane : lanes) nodes.push_back(lane.node());
  for (std::size_t half = nodes.size() / 2; half != 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) nodes[i].merge(nodes[i + half]);
  }
  return nodes[0];
}

/// One leaf, element after element.
template <class Real>
TailNode plain(Real const* leaf, std::size_t size) {
  std::vector<detail::TailLane<Real>> lanes(detail::leaf_lanes);
  for (std::size_t i = 0; i < size; ++i) lanes[i % lanes.size()].add(leaf[i]);
  return folded(lanes);
}
template <class Real>
TailNode plain_excess(Real const* leaf, std::size_t size, double base, double scale) {
  std::vector<detail::ExcessLane<Real>> lanes(detail::leaf_lanes);
  for (std::size_t i = 0; i < size; ++i) lanes[i % lanes.size()].add(leaf[i], base, scale);
  return folded(lanes);
}

template <bool Moments, bool Logarithms, bool IsExcess, class Real>
struct NodeKernel {
  Real const* values;
  double base;
  double scale;
  TailNode* out;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    *out = detail::TailLanes<VectorBytes, Moments, Logarithms, IsExcess>::node(values + begin, end - begin,
                                                                               base, scale);
  }
};

template <bool Moments, bool Logarithms, bool IsExcess, class Real>
void check(std::vector<Real> const& values, TailNode const& expected, double base = 0.0, double scale = 1.0) {
  TailNode node;
  with_each_width(
      0, values.size(),
      [&] {
        return NodeKernel<Moments, Logarithms, IsExcess, Real>{values.data(), base, scale, &node};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(same(node, expected));
      });
}

template <class Real>
void check_all(std::vector<Real> const& values) {
  CAPTURE(values.size());
  TailNode node = plain(values.data(), values.size());
  check<true, true, false>(values, node);
  node.sum_of_logarithms = 0.0;
  check<true, false, false>(values, node);
  node.sum = node.squared_deviations = 0.0;
  check<false, false, false>(values, node);
  for (double base : {0.0, 0.7, 5.0, 1e9, 1e300, 0x1p-145}) {
    CAPTURE(base);
    check<true, false, true>(values, plain_excess(values.data(), values.size(), base, 1.0), base);
    check<true, false, true>(values, plain_excess(values.data(), values.size(), base, 0.125), base, 0.125);
  }
}

template <class Real>
std::vector<Real> numbers(std::size_t size, std::uint32_t zero_in) {
  weir::RandomStream const stream{.seed = size + zero_in};
  std::vector<Real> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    auto const word = stream.word(i);
    values[i] = word % zero_in == 0 ? Real{0} : static_cast<Real>(-std::log((word + 0.5) * 0x1p-32));
    if (word % 2 == 0) values[i] = -values[i];
  }
  return values;
}

template <class Real>
void check_type() {
  for (std::size_t size : {1u, 7u, 63u, 64u, 65u, 1000u, 4095u, 4096u}) {
    for (std::uint32_t zero_in : {2u, 100u, 4'000'000'000u}) {
      auto values = numbers<Real>(size, zero_in);
      check_all(values);
      values[size / 2] = std::numeric_limits<Real>::quiet_NaN();
      values[size / 3] = -std::numeric_limits<Real>::infinity();
      check_all(values);
    }
  }
  check_all(std::vector<Real>(100, Real{0}));
  check_all(std::vector<Real>(100, std::numeric_limits<Real>::denorm_min()));
  check_all(std::vector<Real>(4096, std::numeric_limits<Real>::max()));
}

}  // namespace

TEST_CASE("a leaf in lanes has the bits of one element after another, in vectors of any width") {
  check_type<float>();
  check_type<double>();
}

TEST_CASE("a vector's tail is the same with any number of threads, and that of the whole tree") {
  for (std::size_t size : {0u, 5000u, 300'001u}) {
    auto const values = numbers<float>(size, 50);
    detail::PairwiseFold<TailNode> fold;
    fold.clear();
    for (std::size_t leaf = 0; leaf < size; leaf += detail::leaf_elements) {
      fold.add(plain(values.data() + leaf, detail::smaller(size - leaf, detail::leaf_elements)));
    }
    auto const expected = fold.total({}).statistics();
    for (std::size_t threads : {1u, 2u, 5u}) {
      weir::ThreadTeam team(threads);
      auto const tail =
          detail::tail_after<true, true, false>(detail::NoWork{}, team, values.data(), values.size());
      CHECK(tail.participants == expected.participants);
      CHECK(tail.smallest == expected.smallest);
      CHECK(tail.largest == expected.largest);
      CHECK(tail.sum == expected.sum);
      CHECK(tail.squared_deviations == expected.squared_deviations);
      CHECK(tail.sum_of_logarithms == expected.sum_of_logarithms);
    }
  }
}
