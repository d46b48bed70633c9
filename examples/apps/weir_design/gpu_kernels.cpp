#if WEIR_DESIGN_WITH_CUDA
#include "kernels.hpp"
#include "typed_kernels.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir_train/count_gpus.hpp"

namespace weir_design {

Products run_kernels_on_gpu(weir::AnyDesign const& design, KernelOptions const& options,
                            std::size_t threads) {
  weir_train::count_gpus();
  weir::HostExecutor const host({.threads = threads});
  weir::CudaExecutor const gpu;
  return weir::visit_element(options.type, [&]<class Element>(Element*) {
    return TypedKernels<Element, weir::CudaExecutor>(design, options, host, gpu).run();
  });
}

}  // namespace weir_design
#endif
