// An allocator that fails at its N-th call, for every N: the error says so, nothing is lost, and what was
// there before is as it was.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "fault/counting_resource.hpp"
#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

using weir::GradAccumulator;
using weir::LocalAggregator;
using weir::WeightPolicy;
using weir::WeightSync;

weir::BucketPlan small_plan(weir::ElementType type = weir::ElementType::float32) {
  return weir::BucketPlan::by_bytes(
      {{.elements = 40, .type = type}, {.elements = 300, .type = type}, {.elements = 7, .type = type}}, 20,
      400);
}

/// Every stage that takes memory.
auto large_recipe(std::size_t micro_batches, WeightPolicy policy) {
  weir::SelfCommunicator const alone;
  return GradAccumulator{micro_batches} | LocalAggregator{} | weir::AllReduce{alone} | weir::NonFinite{} |
         weir::UsedParameters{alone} | weir::LossScale{} | weir::Clip{{.max_norm = 1e9}} |
         WeightSync{policy, weir::AdamW{{.learning_rate = 0.01}}};
}

/// Binds and runs a step with an allocator that fails at its `call`-th call. True if it did not come to that.
template <class Element, class Recipe>
bool survives(Recipe const& recipe, std::size_t call, bool for_good) {
  CAPTURE(call);
  CountingResource memory;
  memory.fail_at(call, for_good);
  auto const plan = small_plan(weir::element_type_of<Element>);
  auto weights = small_integers(plan.elements());
  auto const hash = hash_of(weights);
  bool survived = false;
  try {
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::StreamWorkerPool workers{executor, {.workers = 3, .buckets = plan}};
    auto sync = recipe.on(workers, weir::view(weights));
    TestModel<Element> const model{plan.parameters()};
    std::vector<float> const samples = small_integers(sync.ranks().total_micro_batches());
    sync(workers(std::span(samples), model));
    sync.wait();
    survived = true;
  } catch (weir::OutOfMemory const& error) {
    CHECK(error.bytes() > 0);
    CHECK(std::string(error.what()).find(std::to_string(error.bytes()) + " bytes") != std::string::npos);
    CHECK(hash_of(weights) == hash);
  }
  CHECK(memory.bytes() == 0);
  CHECK(survived == (hash_of(weights) != hash));
  return survived;
}

template <class Element = float, class Recipe>
std::size_t fail_everywhere(Recipe const& recipe) {
  for (bool const for_good : {false, true}) {
    std::size_t call = 1;
    while (!survives<Element>(recipe, call, for_good)) REQUIRE(++call < 1000);
    if (for_good) return call;
  }
  return 0;
}

}  // namespace

TEST_CASE("binding fails at any of its allocations without a trace") {
  CHECK(fail_everywhere(LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}}) > 5);
  CHECK(fail_everywhere(large_recipe(2, WeightPolicy::overlap)) > 15);
  CHECK(fail_everywhere(large_recipe(2, WeightPolicy::sequential)) > 15);
  CHECK(fail_everywhere<weir::bfloat16>(large_recipe(2, WeightPolicy::shared)) > 20);
  CHECK(fail_everywhere<weir::bfloat16>(large_recipe(1, WeightPolicy::overlap)) > 15);
  CHECK(fail_everywhere(LocalAggregator{} | weir::ShardedUpdate{weir::SelfCommunicator{},
                                                                weir::AdamW{{.learning_rate = 0.1}}}) > 5);
}

namespace {

/// Trains two steps with one layout and two with another. Where the allocator is to fail at the `call`-th
/// allocation of the resize, resizes again afterwards.
template <class Element>
std::uint64_t train_through_resize(weir::WorkLayout const& from, weir::WorkLayout const& to, std::size_t call,
                                   bool for_good, bool& failed) {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  auto const plan = small_plan(weir::element_type_of<Element>);
  auto weights = small_integers(plan.elements());
  weir::StreamWorkerPool workers{executor, {.workers = from.workers, .buckets = plan}};
  auto sync = large_recipe(from.micro_batches, WeightPolicy::overlap).on(workers, weir::view(weights));
  TestModel<Element> const model{plan.parameters()};
  auto const samples = small_integers(64);
  auto const step = [&](weir::WorkLayout const& layout) {
    sync(workers(std::span(samples).first(layout.workers * layout.micro_batches), model));
  };
  step(from);
  sync.wait();

  std::size_t const bytes = memory.bytes();
  memory.fail_at(call, for_good);
  failed = false;
  try {
    sync.resize(to);
  } catch (weir::OutOfMemory const&) {
    failed = true;
    CHECK(memory.bytes() == bytes);
    CHECK(workers.workers() == from.workers);
    CHECK(sync.layout().workers == from.workers);
    CHECK(sync.layout().micro_batches == from.micro_batches);
  }
  memory.fail_at(0);
  if (!failed) sync.resize(from);
  step(from);
  sync.wait();
  sync.resize(to);
  step(to);
  step(to);
  sync.wait();
  return hash_of(weights);
}

template <class Element>
void fail_resize_everywhere(weir::WorkLayout const& from, weir::WorkLayout const& to, std::size_t least) {
  bool failed = false;
  auto const expected = train_through_resize<Element>(from, to, 0, false, failed);
  REQUIRE(!failed);
  std::size_t call = 0;
  do {
    REQUIRE(++call < 1000);
    CAPTURE(call);
    CHECK(train_through_resize<Element>(from, to, call, true, failed) == expected);
    CHECK(train_through_resize<Element>(from, to, call, false, failed) == expected);
  } while (failed);
  CHECK(call >= least);
}

}  // namespace

TEST_CASE("a resize fails at any of its allocations and leaves everything as it was") {
  fail_resize_everywhere<float>({.workers = 2, .micro_batches = 1}, {.workers = 5, .micro_batches = 3}, 5);
  fail_resize_everywhere<float>({.workers = 4, .micro_batches = 2}, {.workers = 3, .micro_batches = 1}, 1);
  fail_resize_everywhere<weir::bfloat16>({.workers = 2, .micro_batches = 1},
                                         {.workers = 3, .micro_batches = 4}, 10);
  fail_resize_everywhere<weir::bfloat16>({.workers = 3, .micro_batches = 4},
                                         {.workers = 2, .micro_batches = 1}, 3);
}
