// expect: this model is a temporary
#include <span>

#include "weir/host/executor.hpp"
#include "weir/workers/stream_worker_pool.hpp"

struct Model {
  template <class Micro>
  void operator()(Micro&) const {}
};

void describe(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::span<int const> batch) {
#ifdef WEIR_FAIL_CONTROL
  Model const model;
  (void)workers(batch, model);
#else
  (void)workers(batch, Model{});
#endif
}
