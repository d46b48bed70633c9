#include "kernels.hpp"

#include "weir/core/half.hpp"

namespace weir_design {

Products run_kernels(weir::AnyDesign const& design, KernelOptions const& options, std::size_t threads) {
  return weir::visit_element(options.type, [&]<class Element>(Element*) {
    return run_typed_kernels<Element>(design, options, threads);
  });
}

}  // namespace weir_design
