#pragma once

#include <cstdint>
#include <span>

#include "dataset.hpp"
#include "mlp_kernels.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// Labelled images, copied to device memory.
class CudaImages {
 public:
  /// Waits until they are there.
  CudaImages(weir::CudaExecutor const& executor, Images const& images)
      : pixels_(executor, images.pixels.size()),
        labels_(executor, images.labels.size()),
        view_{pixels_.data(), labels_.data(), images.shape.size(), images.scale} {
    weir::from_host(executor, std::span(images.pixels), pixels_.view());
    weir::from_host(executor, std::span(images.labels), labels_.view());
  }

  DeviceImages const& view() const { return view_; }

 private:
  weir::Buffer<std::uint8_t, weir::CudaExecutor> pixels_;
  weir::Buffer<std::uint8_t, weir::CudaExecutor> labels_;
  DeviceImages view_;
};

}  // namespace weir_train
