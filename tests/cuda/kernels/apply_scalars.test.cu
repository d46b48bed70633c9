#include <doctest/doctest.h>

#include "weir/cuda/kernels/apply_scalars.cuh"
#include "weir/cuda/vocabulary.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/tensor/buffer.hpp"

TEST_CASE("a step of scalars runs once, on the device, in stream order") {
  weir::CudaExecutor const executor;
  weir::Buffer<weir::OptimizerState, weir::CudaExecutor> const state(executor, 1);
  apply_scalars(executor, weir::InitialiseOptimizer{state.data(), 0.25});
  apply_scalars(executor, weir::SetLearningRate{state.data(), 0.125});
  for (int step = 0; step < 3; ++step) {
    apply_scalars(executor, weir::AdvanceOptimizer{state.data(), 0.5, 0.75, nullptr});
  }
  auto const result = weir::to_host(executor, state.view())[0];
  CHECK(result.step == 3);
  CHECK(result.learning_rate == 0.125);
  CHECK(result.beta1_power == 0.125);
  CHECK(result.beta2_power == 0.421875);
}
