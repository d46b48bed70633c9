#pragma once

#include <cstdio>

#include "mask/avx2_products.hpp"

namespace bench {

/// What a ratio is to reach, and what it must not fall below; 0 for nothing.
struct Mark {
  double goal = 0;
  double floor = 0;
};

/// By the vectors that are measured: those of AVX2 have a floor only.
inline Mark mark(double goal, double floor, double floor_of_avx2) {
  return measures_avx2() ? Mark{0, floor_of_avx2} : Mark{goal, floor};
}

inline void print_mark(double value, Mark const& mark) {
  auto const say = [value](char const* name, double bound) {
    std::printf(" (%s %.2f: %s)", name, bound, value >= bound ? "yes" : "NO");
  };
  if (mark.goal > 0) say("goal", mark.goal);
  if (mark.floor > 0) say("floor", mark.floor);
}

}  // namespace bench
