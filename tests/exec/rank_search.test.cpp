#include "weir/exec/rank_search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

/// Answers queries out of a list of magnitudes.
template <class Real>
weir::RankSearch<Real> search(std::vector<Real> const& values, std::uint64_t rank, std::uint64_t tolerance,
                              bool is_exact) {
  weir::RankSearch<Real> result;
  result.start(rank, tolerance, is_exact);
  for (bool goes_on = true; goes_on;) {
    std::vector<std::uint64_t> keys;
    for (Real const value : values) {
      std::uint64_t const key = weir::MagnitudeKey<Real>::of(value);
      if (key >> result.query.parent_shift == result.query.prefix) keys.push_back(key >> result.query.shift);
    }
    std::sort(keys.rbegin(), keys.rend());
    std::uint64_t const bin = keys.at(result.query.rank - 1);
    weir::RankAnswer answer{bin, 0, 0};
    for (auto const key : keys) {
      answer.above += key > bin;
      answer.inside += key == bin;
    }
    goes_on = result.resume(answer);
  }
  return result;
}

}  // namespace

TEST_CASE("exact: down to the magnitude of that rank, and how many of its equals") {
  std::vector<float> const values = {1.0f, 5.0f, 3.0f, 3.0f, 3.0f, 2.0f};
  auto const third = search(values, 3, 0, true);
  CHECK(third.cut.threshold == 3.0f);
  CHECK(third.cut.ties == 2);
  CHECK(third.levels == 3);
  CHECK(search(values, 1, 0, true).cut.ties == 1);
  CHECK(search(std::vector<double>(values.begin(), values.end()), 6, 0, true).cut.threshold == 1.0);
  CHECK(search(std::vector<double>(values.begin(), values.end()), 6, 0, true).levels == 5);
}

TEST_CASE("without tolerance a bin is enough where it ends at the rank") {
  std::vector<float> const values = {1.0f, 5.0f, 3.0f, 2.0f};
  auto const second = search(values, 2, 0, false);
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
  auto const fewer = search(values, 301, 3, false);
  CHECK(fewer.cut.threshold > 1.0f);
  auto const draw = search(values, 302, 3, false);
  CHECK(draw.cut.threshold > 1.0f);
  auto const more = search(values, 303, 3, false);
  CHECK(more.cut.threshold < 1.0f);
  CHECK(more.levels == 1);
  // Nothing above may be left out: 304 in one bin.
  std::vector<float> const equal(304, 2.0f);
  auto const tie = search(equal, 300, 3, false);
  CHECK(tie.levels == 3);
  CHECK(tie.cut.threshold == 2.0f);
  CHECK(tie.cut.ties == 300);
}

TEST_CASE("the smallest magnitude there is may be wanted") {
  std::vector<float> const values = {1e-45f, 3e-45f};
  auto const both = search(values, 2, 0, false);
  CHECK(both.cut.threshold == 0.0f);
  CHECK(both.cut.ties == 0);
}
