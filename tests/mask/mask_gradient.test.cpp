#include "weir/mask/mask_gradient.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/clear_dead.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// Every gradient is 1.
struct Model {
  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t p = 0; p < 3; ++p) {
      for (float& g : micro.gradient(p)) g = 1.0f;
    }
  }
};

TEST_CASE("dead weights of dense matrices stay zero, other parameters are left alone") {
  weir::HostExecutor const exec;
  weir::BIBDMask<weir::AnyDesign> const one({.outputs = 12, .inputs = 20, .density = 0.25});
  weir::BIBDMask<weir::AnyDesign> const other(
      {.family = "random", .outputs = 6, .inputs = 12, .density = 0.3});
  auto const plan = weir::BucketPlan::per_parameter({{.elements = 240}, {.elements = 5}, {.elements = 72}});
  std::vector<float> weights(317);
  weir::StreamWorkerPool pool{exec, {.workers = 2, .buckets = plan}};
  auto sync = (weir::LocalAggregator{} | weir::MaskGradient({{0, one}, {2, other}}) |
               weir::Sgd{{.learning_rate = 0.5, .momentum = 0.9, .weight_decay = 0.1}})
                  .on(pool, weir::view(weights));
  Model const model;
  std::vector<int> const samples(2);
  for (int step = 0; step < 3; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  for (std::size_t i = 0; i < 240; ++i) CHECK((weights[i] != 0.0f) == one.contains(i / 20, i % 20));
  for (std::size_t i = 240; i < 245; ++i) CHECK(weights[i] != 0.0f);
  for (std::size_t i = 0; i < 72; ++i) CHECK((weights[245 + i] != 0.0f) == other.contains(i / 12, i % 12));
}

TEST_CASE("a parameter of another size is refused when the recipe is bound") {
  weir::HostExecutor const exec;
  weir::BIBDMask<weir::AnyDesign> const mask({.outputs = 12, .inputs = 20});
  std::vector<float> weights(239);
  weir::StreamWorkerPool pool{
      exec, {.workers = 1, .buckets = weir::BucketPlan::per_parameter({{.elements = 239}})}};
  CHECK_THROWS_AS((weir::LocalAggregator{} | weir::MaskGradient({{0, mask}}) | weir::Sgd{{}})
                      .on(pool, weir::view(weights)),
                  weir::ContractViolation);
}

}  // namespace
