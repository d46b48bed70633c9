#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/rank_search.hpp"

/// A search whose queries are answered out of a list of magnitudes.
template <class Real>
weir::RankSearch<Real> search_among(std::vector<Real> const& values, std::uint64_t rank,
                                    std::uint64_t tolerance, bool is_exact) {
  using Key = weir::MagnitudeKey<Real>;
  weir::RankSearch<Real> result;
  result.start(rank, tolerance, is_exact);
  for (bool goes_on = true; goes_on;) {
    std::vector<std::uint64_t> keys;
    for (Real const value : values) {
      std::uint64_t const key = Key::of(value);
      if (Key::takes_part(Key::of(value)) && key >> result.query.parent_shift == result.query.prefix)
        keys.push_back(key >> result.query.shift);
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
