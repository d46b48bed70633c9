#include "weir/exec/rank_search.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "exec/rank_oracle.hpp"

TEST_CASE("exact: down to the magnitude of that rank, and how many of its equals") {
  std::vector<float> const values = {1.0f, 5.0f, 3.0f, 3.0f, 3.0f, 2.0f};
  auto const third = search_among(values, 3, 0, true);
  CHECK(third.cut.threshold == 3.0f);
  CHECK(third.cut.ties == 2);
  CHECK(third.levels == 3);
  CHECK(search_among(values, 1, 0, true).cut.ties == 1);
  CHECK(search_among(std::vector<double>(values.begin(), values.end()), 6, 0, true).cut.threshold == 1.0);
  CHECK(search_among(std::vector<double>(values.begin(), values.end()), 6, 0, true).levels == 5);
}

TEST_CASE("without tolerance a bin is enough where it ends at the rank") {
  std::vector<float> const values = {1.0f, 5.0f, 3.0f, 2.0f};
  auto const second = search_among(values, 2, 0, false);
  CHECK(second.levels == 1);
  CHECK(second.cut.ties == 0);
  CHECK(second.cut.threshold < 3.0f);
  CHECK(second.cut.threshold > 2.99f);
}

TEST_CASE("with tolerance the closer side of a bin, on a draw the fewer") {
  std::vector<float> values(300, 4.0f);
  for (int i = 0; i < 4; ++i) values.push_back(1.0f);
  values.push_back(0.5f);
  // 300 above a bin of 4.
  auto const fewer = search_among(values, 301, 3, false);
  CHECK(fewer.cut.threshold > 1.0f);
  auto const draw = search_among(values, 302, 3, false);
  CHECK(draw.cut.threshold > 1.0f);
  auto const more = search_among(values, 303, 3, false);
  CHECK(more.cut.threshold < 1.0f);
  CHECK(more.levels == 1);
  // Nothing above may be left out: 304 in one bin.
  std::vector<float> const equal(304, 2.0f);
  auto const tie = search_among(equal, 300, 3, false);
  CHECK(tie.levels == 3);
  CHECK(tie.cut.threshold == 2.0f);
  CHECK(tie.cut.ties == 300);
}

TEST_CASE("the smallest magnitude there is may be wanted") {
  std::vector<float> const values = {1e-45f, 3e-45f};
  auto const both = search_among(values, 2, 0, false);
  CHECK(both.cut.threshold == 0.0f);
  CHECK(both.cut.ties == 0);
}
