// What a recipe takes from its executor, to the byte: W are the bytes of the weights, which are the caller's;
// k * W are the workers' gradients; S is the optimizer state. The rest is declared here as scratch.
#include <doctest/doctest.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "fault/counting_resource.hpp"
#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/exec/optimizer_state.hpp"
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
#include "weir/optim/weight_copy.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/buffer_sync.hpp"
#include "weir/workers/gradients.hpp"

namespace {

using weir::GradAccumulator;
using weir::LocalAggregator;
using weir::WeightPolicy;
using weir::WeightSync;

constexpr std::size_t optimizer_scratch = sizeof(weir::OptimizerState);

/// Sizes that are multiples of 64 bytes, so that no bucket is padded.
weir::BucketPlan unpadded() {
  return weir::BucketPlan::by_bytes(
      {{.elements = 1024}, {.elements = 16}, {.elements = 4096}, {.elements = 32}}, 128, 1024);
}

template <class Recipe>
std::size_t bytes_of(Recipe const& recipe, std::size_t workers, weir::BucketPlan const& plan) {
  CountingResource memory;
  std::size_t bytes = 0;
  {
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
    std::vector<float> weights(plan.elements());
    auto const sync = recipe.on(pool, weir::view(weights));
    bytes = memory.bytes();
    CHECK(bytes == workers * plan.gradient_bytes() + recipe.workspace_bytes(plan, {.workers = workers}));
  }
  CHECK(memory.bytes() == 0);
  return bytes;
}

/// Sizes of which none is a multiple of 64 bytes, over four buckets.
weir::BucketPlan padded(weir::ElementType type) {
  return weir::BucketPlan::by_bytes({{.elements = 1001, .type = type},
                                     {.elements = 3, .type = type},
                                     {.elements = 517, .type = type},
                                     {.elements = 37, .type = type},
                                     {.elements = 1, .type = type}},
                                    64, 1024);
}

/// What `recipe` takes is what it says, when it is bound and when it is resized. `Element` are the gradients.
template <class Element, class Real, class Recipe>
void check_said(Recipe const& recipe, std::size_t workers) {
  CAPTURE(workers);
  auto const plan = padded(weir::element_type_of<Element>);
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  weir::StreamWorkerPool<weir::HostExecutor, Real> pool{executor, {.workers = workers, .buckets = plan}};
  std::vector<Real> weights(plan.elements());
  std::size_t const before = memory.bytes();
  auto sync = recipe.on(pool, weir::view(weights));
  CHECK(memory.bytes() - before == recipe.template workspace_bytes<Real>(plan, {.workers = workers}));
  for (std::size_t other : {workers + 3, std::size_t{1}}) {
    sync.resize({.workers = other, .micro_batches = sync.layout().micro_batches});
    CHECK(memory.bytes() ==
          other * plan.gradient_bytes() + recipe.template workspace_bytes<Real>(plan, {.workers = other}));
  }
}

/// Recipes of one stage besides the necessary ones, and of all.
template <class Element, class Real>
void check_recipes() {
  weir::SelfCommunicator const self;
  weir::Sgd const sgd{{.learning_rate = 0.1}};
  weir::Sgd const momentum{{.learning_rate = 0.1, .momentum = 0.9}};
  weir::AdamW const adamw{{.learning_rate = 0.1}};
  weir::Clip const clip{{.max_norm = 1.0}};
  for (std::size_t k : {1u, 2u, 7u}) {
    auto const check = [&](auto const& recipe) { check_said<Element, Real>(recipe, k); };
    check(LocalAggregator{} | sgd);
    for (std::size_t m : {1u, 4u}) {
      CAPTURE(m);
      auto const with = [&](auto const& rest) { check(GradAccumulator{m} | LocalAggregator{} | rest); };
      with(sgd);
      with(momentum);
      with(adamw);
      with(weir::AllReduce{self} | sgd);
      with(weir::LossScale{} | sgd);
      with(weir::NonFinite{} | sgd);
      with(weir::UsedParameters{self} | sgd);
      with(clip | sgd);
      with(weir::Clip{{.max_norm = 1.0, .per_bucket = true}} | sgd);
      with(weir::ShardedUpdate{self, adamw});
      for (auto policy : {WeightPolicy::shared, WeightPolicy::sequential, WeightPolicy::overlap}) {
        with(WeightSync{policy, sgd});
        with(weir::NonFinite{} | weir::AllReduce{self} | weir::LossScale{} | weir::UsedParameters{self} |
             clip | WeightSync{policy, adamw});
      }
    }
  }
}

}  // namespace

TEST_CASE("a pool takes what workspace_bytes says") {
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  weir::WorkerOptions const options{.workers = 5,
                                    .buckets = weir::BucketPlan::by_bytes({40, 4, 400}, 10, 100)};
  weir::StreamWorkerPool const pool{executor, options};
  CHECK(memory.bytes() == weir::StreamWorkerPool<weir::HostExecutor>::workspace_bytes(options));
}

TEST_CASE("shared weights: W + k W + S; replicated weights: 2 k W + S; for any k") {
  auto const plan = unpadded();
  std::size_t const w = plan.elements() * sizeof(float);
  weir::Sgd const momentum{{.learning_rate = 0.1, .momentum = 0.9}};
  weir::AdamW const adamw{{.learning_rate = 0.1}};
  for (std::size_t k = 1; k <= 9; ++k) {
    CAPTURE(k);
    auto const with = [&](auto const& rest) {
      return w + bytes_of(GradAccumulator{3} | LocalAggregator{} | rest, k, plan) - optimizer_scratch;
    };
    CHECK(with(weir::Sgd{{.learning_rate = 0.1}}) == w + k * w);
    CHECK(with(momentum) == w + k * w + w);
    CHECK(with(adamw) == w + k * w + 2 * w);
    CHECK(with(WeightSync{WeightPolicy::shared, momentum}) == w + k * w + w);
    CHECK(with(WeightSync{WeightPolicy::sequential, momentum}) == 2 * k * w + w);
    CHECK(with(WeightSync{WeightPolicy::overlap, adamw}) == 2 * k * w + 2 * w);
  }
}

TEST_CASE("an all-reduce takes 32 bytes for each rank and for itself, to exchange layouts") {
  auto const plan = unpadded();
  weir::Sgd const sgd{{.learning_rate = 0.1}};
  auto const without = bytes_of(LocalAggregator{} | sgd, 2, plan);
  auto const with = bytes_of(LocalAggregator{} | weir::AllReduce{weir::SelfCommunicator{}} | sgd, 2, plan);
  CHECK(with - without == 2 * 4 * sizeof(std::uint64_t));
}

TEST_CASE("a recipe takes what workspace_bytes says, whatever its stages, workers and micro-batches") {
  check_recipes<float, float>();
  check_recipes<double, double>();
  check_recipes<weir::bfloat16, float>();
  check_recipes<weir::half, float>();
}

TEST_CASE("16-bit copies of the weights take nothing on a host, and are said to") {
  auto const plan = padded(weir::ElementType::bfloat16);
  std::vector<weir::bfloat16> copies(plan.elements());
  check_said<weir::bfloat16, float>(
      LocalAggregator{} | weir::AdamW{{.learning_rate = 0.1}} | weir::WeightCopy{weir::view(copies)}, 3);
}

TEST_CASE("a sharded update takes what it says on each of several ranks, together little more than one") {
  weir::AdamW const adamw{{.learning_rate = 0.1}};
  auto const group = weir::ThreadCommunicator::group(3);
  auto const plan = padded(weir::ElementType::float32);
  for (auto const& communicator : group) {
    auto const recipe = LocalAggregator{} | weir::ShardedUpdate{communicator, adamw};
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan}};
    std::vector<float> weights(plan.elements());
    std::size_t const before = memory.bytes();
    auto const sync = recipe.on(pool, weir::view(weights));
    CHECK(memory.bytes() - before == recipe.workspace_bytes(plan, {.workers = 2}));
    communicator.abort();  // nobody exchanges layouts here
  }
}

TEST_CASE("borrowed gradients take what workspace_bytes says: nothing in one row, else their buckets") {
  using View = weir::TensorView<float, weir::HostSpace>;
  using Source = weir::Gradients<weir::HostExecutor>;
  auto const plan = padded(weir::ElementType::float32);
  std::vector<float> row(plan.elements());
  std::vector<std::vector<float>> memories;
  std::vector<View> apart;
  for (std::size_t p = 0; p < plan.parameters(); ++p)
    memories.emplace_back(plan.parameter(p).elements + 1);  // in case two lie side by side
  for (std::size_t p = 0; p < plan.parameters(); ++p)
    apart.push_back(weir::view(memories[p]).part(0, plan.parameter(p).elements));
  auto const check = [&](auto const& views, std::size_t expected) {
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    Source const source{executor, plan, views};
    CHECK(memory.bytes() == Source::workspace_bytes(plan, views));
    CHECK(memory.bytes() == expected);
  };
  std::size_t of_several = 0;  // buckets of more than one parameter
  for (std::size_t bucket = 0; bucket < plan.size(); ++bucket)
    if (plan[bucket].parameters.size() > 1) of_several += plan[bucket].size * sizeof(float);
  REQUIRE(of_several > 0);
  check(std::vector(3, weir::view(row)), 0);
  check(std::vector(3, apart), 3 * of_several);
}

TEST_CASE(
    "a synchronisation of buffers takes what workspace_bytes says: a mean and a number, if it averages") {
  using Sync = weir::BufferSync<weir::HostExecutor, weir::SelfCommunicator>;
  std::vector<float> one(100), two(100);
  for (auto policy : {weir::BufferPolicy::none, weir::BufferPolicy::from_main, weir::BufferPolicy::average}) {
    CountingResource memory;
    weir::HostExecutor const executor{{.memory = &memory}};
    Sync const sync(executor, weir::SelfCommunicator{}, policy,
                    std::vector{weir::view(one), weir::view(two)});
    CHECK(memory.bytes() == Sync::workspace_bytes(policy, 100));
    CHECK(memory.bytes() == (policy == weir::BufferPolicy::average ? 408 : 0));
  }
}

TEST_CASE("the memory of ResNet-50 with 4 workers is as calculated by hand") {
  // Bytes of its buckets; the first is no multiple of 64 and padded by 32.
  auto const plan = weir::BucketPlan::by_bytes({8196000, 31502336, 26255360, 26550272, 9724160},
                                               std::size_t{0}, std::size_t{0});
  std::size_t const w = 102'228'128;
  REQUIRE(plan.elements() * sizeof(float) == w);
  weir::Sgd const momentum{{.learning_rate = 0.1, .momentum = 0.9}};
  std::size_t const scratch = optimizer_scratch + 4 * 32;
  CHECK(w + bytes_of(LocalAggregator{} | momentum, 4, plan) - scratch == 613'368'768);
  CHECK(w + bytes_of(LocalAggregator{} | WeightSync{WeightPolicy::sequential, momentum}, 4, plan) - scratch ==
        920'053'152);
}

TEST_CASE("loading a checkpoint takes nothing from the executor, not even for a while") {
  auto const plan = unpadded();
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = plan}};
  auto weights = small_integers(plan.elements());
  auto sync = (GradAccumulator{2} | LocalAggregator{} |
               WeightSync{WeightPolicy::overlap, weir::AdamW{{.learning_rate = 0.1}}})
                  .on(pool, weir::view(weights));
  TestModel<> const model{plan.parameters()};
  std::vector<float> const samples(6);
  sync(pool(std::span(samples), model));
  sync.wait();

  std::size_t const bytes = memory.bytes();
  std::size_t const calls = memory.calls();
  weir::Archive archive;
  sync.save(archive);
  sync.load(archive);
  sync(pool(std::span(samples), model));
  sync.wait();
  CHECK(memory.calls() == calls);
  CHECK(memory.bytes() == bytes);
}

TEST_CASE("a resize gives back what it no longer needs") {
  auto const plan = unpadded();
  CountingResource memory;
  weir::HostExecutor const executor{{.memory = &memory}};
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = plan}};
  auto weights = small_integers(plan.elements());
  auto sync = (LocalAggregator{} | WeightSync{WeightPolicy::overlap, weir::Sgd{{.learning_rate = 0.1}}})
                  .on(pool, weir::view(weights));
  std::size_t const two = memory.bytes();
  sync.resize({.workers = 7});
  CHECK(memory.bytes() - two == 2 * 5 * plan.elements() * sizeof(float));
  sync.resize({.workers = 2});
  CHECK(memory.bytes() == two);
}

TEST_CASE("1 to 64 workers give the sum that one worker gives") {
  auto const plan = weir::BucketPlan::by_bytes({40, 4, 400}, 10, 100);
  weir::Sgd const sgd{{.learning_rate = 0.25}};
  TestModel<> const model{plan.parameters()};
  for (std::size_t k = 1; k <= 64; ++k) {
    CAPTURE(k);
    std::vector<float> const samples = small_integers(k);
    auto const hash = [&](std::size_t workers, std::size_t micro_batches) {
      auto const recipe = [&](std::size_t) {
        return GradAccumulator{micro_batches} | LocalAggregator{} | sgd;
      };
      Ranks ranks(1, {.workers = workers, .buckets = plan}, recipe);
      ranks.step(samples, model);
      ranks.wait();
      return hash_of(ranks[0].weights);
    };
    CHECK(hash(k, 1) == hash(1, k));
  }
}

TEST_CASE("two pools that work at the same time do not notice each other") {
  auto const plan = weir::BucketPlan::by_bytes({400, 4, 4000}, 10, 1000);
  auto const train = [&](std::size_t workers, double rate) {
    TestModel<> const model{plan.parameters()};
    auto const recipe = [&](std::size_t) {
      return GradAccumulator{2} | LocalAggregator{} | weir::Sgd{{.learning_rate = rate, .momentum = 0.5}};
    };
    Ranks ranks(1, {.workers = workers, .buckets = plan}, recipe);
    std::vector<float> const samples = small_integers(2 * workers);
    for (int step = 0; step < 50; ++step) ranks.step(samples, model);
    ranks.wait();
    return hash_of(ranks[0].weights);
  };
  auto const alone_a = train(2, 0.125);
  auto const alone_b = train(3, 0.0625);
  std::uint64_t beside_a = 0;
  std::thread other([&] { beside_a = train(2, 0.125); });
  auto const beside_b = train(3, 0.0625);
  other.join();
  CHECK(beside_a == alone_a);
  CHECK(beside_b == alone_b);
  CHECK(alone_a != alone_b);
}
