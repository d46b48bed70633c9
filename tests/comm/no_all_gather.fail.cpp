// expect: (satisfaction of|because) 'GatheringCommunicator<|satisfy 'GatheringCommunicator'
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

struct OnlyReduces {
  std::size_t rank() const { return 0; }
  std::size_t size() const { return 1; }
  void abort() const noexcept {}
  template <class E>
  void reserve(E const&, std::size_t) const {}
  template <class E, class T>
  void all_reduce(E const&, weir::TensorView<T, weir::HostSpace>,
                  weir::ReduceOp = weir::ReduceOp::sum) const {}
#ifdef WEIR_FAIL_CONTROL
  template <class E, class T>
  void all_gather(E const&, weir::TensorView<T const, weir::HostSpace>,
                  weir::TensorView<T, weir::HostSpace>) const {}
#endif
};

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  auto sync = (weir::LocalAggregator{} | weir::AllReduce{OnlyReduces{}} | weir::Sgd{{.learning_rate = 0.1}})
                  .on(workers, weir::view(weights));
}
