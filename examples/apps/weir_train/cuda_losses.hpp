#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "weir/cuda/executor.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// Sums of losses in device memory, one for each stream that adds to them.
class CudaLosses {
 public:
  /// Waits until they are 0.
  CudaLosses(weir::CudaExecutor const& executor, std::size_t streams)
      : executor_(executor), sums_(executor, streams) {
    clear();
  }

  weir::LossSum* of(std::size_t stream) { return sums_.data() + stream; }

  /// Of all streams since the last call. Waits for the executor's stream.
  weir::LossSum take() {
    weir::LossSum total;
    for (weir::LossSum const& sum : weir::to_host(executor_, sums_.view())) {
      total.sum += sum.sum;
      total.samples += sum.samples;
    }
    clear();
    return total;
  }

 private:
  void clear() {
    std::vector<weir::LossSum> const none(sums_.size());
    weir::from_host(executor_, std::span(none), sums_.view());
  }

  weir::CudaExecutor executor_;
  weir::Buffer<weir::LossSum, weir::CudaExecutor> sums_;
};

}  // namespace weir_train
