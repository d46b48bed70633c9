// expect: satisfaction of 'FittingPolicy<|'SparseCollective<[^']*' evaluated to false
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/comm/self.hpp"
#include "weir/compress/collective/leader_indices.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// Without a broadcast there is no leader.
struct NoBroadcast : weir::SelfCommunicator {
#ifndef WEIR_FAIL_CONTROL
  template <class E, class T>
  void broadcast(E const&, weir::TensorView<T, weir::HostSpace>, std::size_t) const = delete;
#endif
};

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  auto sync = (weir::LocalAggregator{} | weir::AllReduce{NoBroadcast{}, weir::LeaderIndices{}} |
               weir::Sgd{{.learning_rate = 0.1}})
                  .on(workers, weir::view(weights));
}
