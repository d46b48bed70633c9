#include "kernels.hpp"

#include "weir/core/half.hpp"

namespace weir_design {

Products run_kernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads) {
#if WEIR_DESIGN_WITH_CUDA
  if (options.on_gpu) return run_kernels_on_gpu(design, options, threads);
#endif
  return weir::visit_element(options.type, [&]<class Element>(Element*) {
    return run_typed_kernels<Element>(design, options, threads);
  });
}

}  // namespace weir_design
