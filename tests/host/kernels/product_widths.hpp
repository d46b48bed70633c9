#pragma once

#include <cstddef>

#include "weir/host/kernels/product_dispatch.hpp"

/// Calls `prepare()`, runs all parts of the kernel it returns, then calls `check(name)`: once for each width
/// of vectors that this processor has. Kernels that permute lanes have no form of 16 bytes. The last part
/// comes first, so that what a part writes behind its end is seen.
template <class Prepare, class Check>
void with_each_product_width(Prepare const& prepare, Check const& check) {
  auto const run = [&](char const* name, auto const& run_part) {
    auto const kernel = prepare();
    for (std::size_t part = kernel.parts.count(); part-- > 0;) run_part(kernel, part);
    check(name);
  };
  if constexpr (!decltype(prepare())::permutes) {
    run("16 bytes", [](auto const& kernel, std::size_t part) { kernel.template run<16>(part); });
  }
#if defined(__x86_64__)
  if (weir::detail::has_avx2_and_fma()) {
    run("avx2", [](auto const& kernel, std::size_t part) { weir::detail::multiply_avx2(kernel, part); });
  }
  if (weir::detail::has_avx512()) {
    run("avx512", [](auto const& kernel, std::size_t part) { weir::detail::multiply_avx512(kernel, part); });
  }
#endif
}

/// Runs all parts of a kernel with vectors of so many bytes; 0: the widest that this processor has.
template <int Bytes, class Kernel>
void run_parts(Kernel const& kernel, std::size_t parts) {
  for (std::size_t part = parts; part-- > 0;) {
    if constexpr (Bytes == 0) {
      weir::detail::multiply_widest(kernel, part);
    } else if constexpr (Bytes == 16) {
      kernel.template run<16>(part);
    } else {
#if defined(__x86_64__)
      weir::detail::multiply_avx2(kernel, part);
#endif
    }
  }
}
