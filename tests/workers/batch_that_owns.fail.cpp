// expect: trivially copyable, of at most 32 bytes
#include <span>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/workers/stream_worker_pool.hpp"

struct Model {
  template <class Micro>
  void operator()(Micro&) const {}
};

void describe(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<int> const& samples,
              Model const& model) {
#ifdef WEIR_FAIL_CONTROL
  (void)workers(std::span(samples), model);
#else
  (void)workers(samples, model);
#endif
}
