#include "weir/exec/multi_tensor_backend.hpp"

#include "support/immediate_executor.hpp"
#include "weir/host/executor.hpp"

static_assert(weir::MultiTensorBackend<ImmediateExecutor> &&
              weir::MultiTensorBackend<ImmediateExecutor, double>);
static_assert(weir::MultiTensorBackend<ImmediateExecutor, float, weir::half>);

// Narrow gradients are summed in float only.
static_assert(!weir::MultiTensorBackend<ImmediateExecutor, double, float> &&
              !weir::MultiTensorBackend<ImmediateExecutor, float, double>);

// The host's loops update piece by piece.
static_assert(!weir::MultiTensorBackend<weir::HostExecutor>);
