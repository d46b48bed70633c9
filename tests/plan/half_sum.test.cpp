#include "weir/plan/half_sum.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// The gradient is the sum of the samples.
template <class Element>
struct Model {
  template <class Micro>
  void operator()(Micro& micro) const {
    float sum = 0;
    for (float const x : micro.samples()) sum += x;
    Element& gradient = micro.template gradient<Element>(0)[0];
    gradient = Element(micro.accumulate() ? static_cast<float>(gradient) + sum : sum);
  }
};

/// Of two workers with three micro-batches each.
template <class Element>
std::vector<float> odd_halves(std::size_t period, int steps) {
  weir::HostExecutor const executor;
  std::vector<float> weights(1);
  weir::StreamWorkerPool workers{
      executor,
      {.workers = 2,
       .buckets = weir::BucketPlan::by_bytes({weir::Parameter{1, weir::element_type_of<Element>}}),
       .local_batch = 1}};
  auto sync = (weir::HalfSum{} | weir::GradAccumulator{3} | weir::LocalAggregator{} | weir::Sgd{{}})
                  .on(workers, weir::view(weights));
  auto& stage = sync.template stage<weir::HalfSum>();
  if (period != 0) stage.keep_every(period);
  Model<Element> const model;
  for (int step = 0; step < steps; ++step) {
    float const x = static_cast<float>(1 << step);
    std::vector<float> const samples = {x, 2 * x, 4 * x, 8 * x, 16 * x, 32 * x};
    sync(workers(std::span<float const>(samples), model));
    sync.wait();
  }
  return {stage.odd_half(0, 0)[0], stage.odd_half(1, 0)[0]};
}

}  // namespace

TEST_CASE("the odd micro-batches of each worker are summed, by their index in the global batch") {
  CHECK(odd_halves<float>(1, 1) == std::vector<float>{2, 8 + 32});
  CHECK(odd_halves<float>(1, 3) == std::vector<float>{8, 32 + 128});
  CHECK(odd_halves<weir::half>(1, 3) == std::vector<float>{8, 32 + 128});
}

TEST_CASE("in steps that are not measured the last half stays") {
  CHECK(odd_halves<float>(2, 2) == std::vector<float>{2, 8 + 32});
}
