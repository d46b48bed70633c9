// Recipes that sparsify on CudaExecutor, on the stand-in: the bits of HostExecutor in any order of the
// streams, steps that allocate and wait for nothing, and replays of a captured one.
#include "weir/cuda/sparsify.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/clean_session.hpp"
#include "support/cuda/sparsify.hpp"
#include "support/cuda/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/decompress.hpp"
#include "weir/compress/ef21.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/local_clip.hpp"
#include "weir/compress/local_clip_by_value.hpp"
#include "weir/compress/momentum_correction.hpp"
#include "weir/compress/shared_threshold.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/exec/sparsifying_backend.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"

static_assert(weir::ScatteringBackend<weir::CudaExecutor>);
static_assert(weir::ScatteringBackend<weir::CudaExecutor, double>);
static_assert(weir::SparsifyingBackend<weir::CudaExecutor, weir::Histogram>);
static_assert(weir::SparsifyingBackend<weir::CudaExecutor, weir::Histogram, weir::half>);
static_assert(!weir::SparsifyingBackend<weir::CudaExecutor, weir::Histogram, double, float>);

namespace {

weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes({{.elements = 40}, {.elements = 3}, {.elements = 300}}, 64, 512);
}

enum class Steps { one_by_one, captured };

template <class E, class Recipe>
std::vector<float> train(E const& executor, Recipe const& recipe, [[maybe_unused]] Steps how) {
  stand_in::Trainer trainer(executor, weir::WorkerOptions{.workers = 2, .buckets = plan()}, recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
  auto const samples = stand_in::samples_of(4);
  constexpr int steps = 6;
  trainer.step(samples, model);
  if constexpr (std::same_as<E, weir::CudaExecutor>) {
    if (how == Steps::captured) {
      auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
      for (int i = 1; i < steps; ++i) graph.replay();
      trainer.sync().replayed(steps - 1);
      return trainer.weights();
    }
  }
  for (int step = 1; step < steps; ++step) trainer.step(samples, model);
  return trainer.weights();
}

template <class Recipe>
void check(Recipe const& recipe, std::uint64_t seeds = 6) {
  auto const expected = train(weir::HostExecutor(), recipe, Steps::one_by_one);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CleanSession const session({.seed = seed});
    CHECK(same_bits(train(weir::CudaExecutor(), recipe, Steps::one_by_one), expected));
    CHECK(same_bits(train(weir::CudaExecutor(), recipe, Steps::captured), expected));
    CHECK(session.default_stream_operations() == 0);
  }
}

auto with(auto const& sparsifier) {
  return weir::GradAccumulator{2} | weir::LocalAggregator{} | sparsifier | weir::Sgd{{.learning_rate = 0.5}};
}

weir::ThresholdSparsifier const sparsifier{{.density = 0.05}};

}  // namespace

TEST_CASE("recipes that sparsify give the host's bits, enqueued one by one and replayed") {
  check(with(sparsifier));
  check(with(weir::ErrorFeedback{sparsifier}));
  check(with(weir::ErrorFeedback{weir::ThresholdSparsifier{
      {.density = 0.05, .reuse = {.interval = 3}, .precision = weir::ElementType::bfloat16},
      weir::GeneralizedPareto{},
      weir::AdaptiveStages<>{}}}));
  check(with(weir::ErrorFeedback{weir::ThresholdSparsifier{{.density = 0.05, .dense_below = 64}}}));
  weir::SelfCommunicator const alone;
  weir::ErrorFeedback const feedback{sparsifier};
  check(with(weir::LocalClipByValue{alone, {.max_value = 0.01}} | feedback));
  check(with(weir::LocalClip{alone, {.max_norm = 0.5}} | weir::LocalClipByValue{alone, {.max_value = 0.01}} |
             feedback));
  check(with(weir::ErrorFeedback{weir::SharedThreshold{alone, sparsifier}}));
  check(with(weir::SharedThreshold{
      alone, weir::ThresholdSparsifier{{.density = 0.05, .dense_below = 64}, weir::ExactTopK{}}}));
  check(with(
      weir::SharedThreshold{alone, weir::ThresholdSparsifier{{.density = 0.05}, weir::GeneralizedPareto{}}}));
  check(with(weir::MomentumCorrection{sparsifier, {.momentum = 0.5}}));
  check(with(weir::EF21{sparsifier}));
}

TEST_CASE("a step that sparsifies allocates nothing, waits for nothing and makes nothing") {
  CleanSession session;
  auto const recipe = with(weir::ErrorFeedback{sparsifier});
  stand_in::Trainer trainer(weir::CudaExecutor(), weir::WorkerOptions{.workers = 2, .buckets = plan()},
                            recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
  auto const samples = stand_in::samples_of(4);
  for (int step = 0; step < 2; ++step) trainer.step(samples, model);
  trainer.sync().wait();
  auto const before = session.calls();
  auto const held = session.inventory();
  std::size_t const heap = stand_in::heap_allocations();
  for (int step = 0; step < 8; ++step) trainer.step(samples, model);
  CHECK(stand_in::heap_allocations() == heap);
  auto calls = stand_in::calls_between(before, session.calls());
  for (char const* const allowed : {"cudaLaunchKernel", "cudaEventRecord", "cudaStreamWaitEvent",
                                    "cudaGetDevice", "cudaStreamIsCapturing"}) {
    calls.erase(allowed);
  }
  for (auto const& [function, count] : calls) FAIL_CHECK(function << " is called " << count << " times");
  CHECK(session.inventory() == held);
  trainer.sync().wait();
}

TEST_CASE("what does not fit together is refused at the call") {
  CleanSession const session;
  weir::CudaExecutor const executor;
  weir::SparsifyWork<float, float, weir::DeviceSpace> const work;
  CHECK_THROWS_AS(sparsify(executor, work, weir::Histogram{}), weir::ContractViolation);
  CHECK(weir::sparsify_scratch_bytes<float>(executor, 0, 0.01) > 0);
  CHECK(weir::sparsify_scratch_bytes<float>(executor, 1 << 26, 0.01) < 2.6 * (1 << 26));
  CHECK(weir::sparsify_scratch_bytes<double>(executor, 1 << 26, 0.01) < 3.6 * (1 << 26));
}
