#include "weir/trace/lane.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace weir::detail;

TEST_CASE("lanes are ordered by rank, workers by index, and the stream of the sums comes last") {
  std::vector<weir::Span> const spans{{.rank = 1, .lane = 0},
                                      {.rank = 0, .lane = weir::Span::reduce_lane},
                                      {.rank = 0, .lane = 10},
                                      {.rank = 0, .lane = 2},
                                      {.rank = 0, .lane = 10}};
  CHECK(lanes_of(spans) == std::vector<Lane>{{0, 2}, {0, 10}, {0, -1}, {1, 0}});
  CHECK(lanes_of({}).empty());
}

TEST_CASE("a lane is called after its worker") {
  CHECK(Lane{0, 3}.name() == "worker 3");
  CHECK(Lane{0, -1}.name() == "reduce");
}

TEST_CASE(
    "the extent goes from the first begin to the last end, and a span that ends before it begins has no "
    "length") {
  std::vector<weir::Span> const spans{
      {.begin = 20, .end = 25}, {.begin = 5, .end = 60}, {.begin = 30, .end = 31}};
  CHECK(extent_of(spans).begin == 5);
  CHECK(extent_of(spans).end == 60);
  CHECK(extent_of({}).end == 0);
  CHECK(length_of({.begin = 7, .end = 3}) == 0);
  CHECK(length_of({.begin = 3, .end = 7}) == 4);
}
