#pragma once

#include <cstddef>

#include "weir/host/sweep.hpp"

/// Calls `prepare()`, then runs the kernel it returns on 0..size, then calls `check(name)`: once for each
/// width of vectors that this processor has.
template <class Prepare, class Check>
void with_each_width(std::size_t begin, std::size_t end, Prepare const& prepare, Check const& check) {
  weir::detail::run_baseline(prepare(), begin, end);
  check("baseline");
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    weir::detail::run_avx2(prepare(), begin, end);
    check("avx2");
  }
  if (weir::detail::has_avx512()) {
    weir::detail::run_avx512(prepare(), begin, end);
    check("avx512");
  }
#endif
}
