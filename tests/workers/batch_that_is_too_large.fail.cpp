// expect: trivially copyable, of at most 32 bytes
#include <cstddef>

#include "weir/host/executor.hpp"
#include "weir/workers/stream_worker_pool.hpp"

struct Batch {
#ifdef WEIR_FAIL_CONTROL
  static constexpr std::size_t words = 4;
#else
  static constexpr std::size_t words = 5;
#endif
  std::size_t data[words];

  std::size_t size() const {
    return data[0];
  }
  Batch subspan(std::size_t, std::size_t count) const {
    return {{count}};
  }
};

struct Model {
  template <class Micro>
  void operator()(Micro&) const {}
};

void describe(weir::StreamWorkerPool<weir::HostExecutor>& workers, Model const& model) {
  (void)workers(Batch{}, model);
}
