// Weights that are still on their way when a recipe is bound, on the stand-in.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/cuda/clean_session.hpp"
#include "support/cuda/training.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

TEST_CASE("copies that are made when a recipe is bound come after what fills the weights") {
  auto const plan = weir::BucketPlan::by_bytes({{.elements = 40}, {.elements = 300}}, 64, 512);
  weir::Sgd const sgd{{.learning_rate = 0.5}};
  for (auto const policy : {weir::WeightPolicy::sequential, weir::WeightPolicy::overlap}) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      CAPTURE(seed);
      CleanSession const session({.seed = seed});
      weir::CudaExecutor const executor;
      weir::Buffer<float, weir::CudaExecutor> const weights(executor, plan.elements());
      weir::StreamWorkerPool<weir::CudaExecutor> workers(executor, {.workers = 3, .buckets = plan});
      fill(executor, weights.view(), 2.0f);
      auto sync = (weir::LocalAggregator{} | weir::WeightSync{policy, sgd}).on(workers, weights.view());
      auto const model = [](auto& micro) {
        for (std::size_t p = 0; p < 2; ++p) copy(micro.executor(), micro.weights(p), micro.gradient(p));
      };
      auto const samples = stand_in::samples_of(3);
      sync(workers(std::span<float const>(samples), model));
      sync.wait();
      CHECK(weir::to_host(executor, weights.view().part(0, 40)) == std::vector<float>(40, 1.0f));
    }
  }
}
