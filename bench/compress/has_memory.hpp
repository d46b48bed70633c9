#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

#include "support/available_memory.hpp"

/// Whether there is room for the vectors of a benchmark whose second argument is log2 of their size; where
/// there is none, it ends with a line that says so.
inline bool has_memory(benchmark::State& state, double bytes_of_element) {
  double const needed = bytes_of_element * static_cast<double>(std::size_t{1} << state.range(1));
  double const available = available_memory();
  if (needed <= available) return true;
  state.SkipWithError(("takes " + std::to_string(static_cast<int>(needed * 1e-9 + 1)) + " GB, " +
                       std::to_string(static_cast<int>(available * 1e-9)) + " are free")
                          .c_str());
  return false;
}
