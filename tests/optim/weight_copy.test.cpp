#include "weir/optim/weight_copy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

template <class Element>
std::vector<Element> rounded(std::vector<float> const& weights) {
  std::vector<Element> result;
  for (float weight : weights) result.push_back(Element(weight));
  return result;
}

template <class Element>
bool equal(std::vector<Element> const& a, std::vector<Element> const& b) {
  return std::ranges::equal(
      a, b, [](Element x, Element y) { return static_cast<float>(x) == static_cast<float>(y); });
}

/// Mixed precision: half copies are read, half gradients written, float weights updated.
template <class Element>
void check_master_weights() {
  std::vector<float> master = {1.0f, 2.0f, 3.0f, 1.0f / 3.0f, 0.1f};
  std::vector<Element> copies(5);
  auto const plan = weir::BucketPlan::by_bytes({4, 6}, 1, 1, weir::element_type_of<Element>);
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan}};
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::LossScale{{.initial = 64.0}} |
               weir::Sgd{{.learning_rate = 0x1p-14}} | weir::WeightCopy{weir::view(copies)})
                  .on(pool, weir::view(master));
  bool is_fresh = true;
  std::vector<float> expected = master;
  auto const model = [&](auto& micro) {
    if (micro.worker() == 0) is_fresh = is_fresh && equal(copies, rounded<Element>(expected));
    for (std::size_t p = 0; p < 2; ++p) {
      for (auto& g : micro.template gradient<Element>(p)) g = Element(micro.loss_scale());
    }
  };
  int const samples[4] = {};
  for (int step = 0; step < 100; ++step) {
    sync(pool(std::span<int const>(samples), model));
    sync.wait();
    for (float& weight : expected) weight -= 0x1p-14f;
  }
  CHECK(is_fresh);
  CHECK(master == expected);  // updates that would be lost in 16 bits
  CHECK(equal(copies, rounded<Element>(expected)));
}

}

TEST_CASE("16-bit copies follow the master weights, rounded once") {
  check_master_weights<weir::half>();
  check_master_weights<weir::bfloat16>();
}

TEST_CASE("copies may be a list of views, and follow weights that were restored or loaded") {
  std::vector<float> master = {1.0f, 2.0f, 3.0f};
  std::vector<weir::bfloat16> one(1), two(2);
  std::vector<weir::TensorView<weir::bfloat16, weir::HostSpace>> const views = {weir::view(one),
                                                                                weir::view(two)};
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::by_bytes({4, 8}, 1, 1)}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}} | weir::WeightCopy{views})
                  .on(pool, weir::view(master));
  executor.synchronize();
  CHECK(equal(one, rounded<weir::bfloat16>({1.0f})));
  CHECK(equal(two, rounded<weir::bfloat16>({2.0f, 3.0f})));
  weir::Archive archive;
  sync.save(archive);

  std::ranges::copy(std::vector{5.0f, 6.0f, 7.0f}, master.begin());
  sync.restored();
  executor.synchronize();
  CHECK(equal(two, rounded<weir::bfloat16>({6.0f, 7.0f})));

  sync.load(archive);
  executor.synchronize();
  CHECK(equal(one, rounded<weir::bfloat16>({1.0f})));
  CHECK(equal(two, rounded<weir::bfloat16>({2.0f, 3.0f})));
}

TEST_CASE("copies of another size are refused") {
  std::vector<float> master(3);
  std::vector<weir::half> copies(4);
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::by_bytes({4, 8}, 1, 1)}};
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{}} | weir::WeightCopy{weir::view(copies)};
  CHECK_THROWS_AS(recipe.on(pool, weir::view(master)), weir::ContractViolation);
}
