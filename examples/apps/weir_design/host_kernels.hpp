#pragma once

#include <cstddef>

#include "typed_kernels.hpp"
#include "weir/host/masked_product.hpp"

namespace weir_design {

template <class Element>
Products run_typed_kernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads) {
  weir::HostExecutor const host({.threads = threads});
  return TypedKernels<Element, weir::HostExecutor>(design, options, host, host).run();
}

}  // namespace weir_design
