#pragma once

#include <cstring>
#include <vector>

/// Whether two vectors have the same bits, which == does not tell of zeros and NaN.
template <class Number>
bool same_bits(std::vector<Number> const& a, std::vector<Number> const& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Number)) == 0);
}
