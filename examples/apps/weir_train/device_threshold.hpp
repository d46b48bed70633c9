#pragma once

#include "chosen_threshold.hpp"
#include "weir/core/error.hpp"
#include "weir/cuda/sparsify.hpp"

namespace weir_train {

/// What `ChosenThreshold` does on a GPU: the kernels of the policy that is meant.
void sparsify(weir::CudaExecutor const& executor,
              weir::SparsifyWork<float, float, weir::DeviceSpace> const& work,
              ChosenThreshold const& threshold);

/// The models of this program compute gradients in float.
template <class Element>
void sparsify(weir::CudaExecutor const&, weir::SparsifyWork<Element, float, weir::DeviceSpace> const&,
              ChosenThreshold const&) {
  throw weir::ContractViolation("ChosenThreshold: the gradients are not in float, as they have to be");
}

}  // namespace weir_train
