#include "weir/stage/branch_runner.hpp"

#include "weir/host/executor.hpp"
#include "weir/workers/gradients.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

static_assert(weir::BranchRunner<weir::StreamWorkerPool<weir::HostExecutor>>);
static_assert(weir::BranchRunner<weir::StreamWorkerPool<weir::HostExecutor>, weir::HostExecutor>);
static_assert(weir::BranchRunner<weir::StreamWorkerPool<weir::HostExecutor, double>>);
static_assert(!weir::BranchRunner<weir::StreamWorkerPool<weir::HostExecutor>, int>);
static_assert(!weir::BranchRunner<weir::Gradients<weir::HostExecutor>>);

}  // namespace
