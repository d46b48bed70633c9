#include "weir/gradient/local_aggregator.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "support/bits.hpp"
#include "support/collect.hpp"
#include "support/integer_model.hpp"
#include "support/network.hpp"
#include "support/stages.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using weir::ScaleTime;

/// The gradient that a recipe would apply, of one step on `batch`.
template <class Real, class Model, class Element, class Scale = weir::MeanOverSamples>
std::vector<Real> gradient_of_step(std::span<Element const> batch, Model const& model,
                                   weir::BucketPlan const& plan, std::vector<Real>& weights,
                                   weir::WorkLayout layout, ScaleTime time = ScaleTime::automatic,
                                   Scale scale = {}) {
  weir::HostExecutor const executor;
  weir::StreamWorkerPool<weir::HostExecutor, Real> workers(
      executor, {.workers = layout.workers, .buckets = plan, .local_batch = layout.local_batch});
  std::vector<std::vector<Real>> steps;
  auto sync = (weir::GradAccumulator{layout.micro_batches} | weir::LocalAggregator{scale, time} |
               Collect<Real>{steps})
                  .on(workers, weir::view(weights));
  sync(workers(batch, model));
  sync.wait();
  REQUIRE(steps.size() == 1);
  return steps[0];
}

template <class Real>
void check_against_one_batch(double tolerance) {
  auto const model = network::model();
  auto weights = network::initial_weights<Real>();
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t micro_batches = 1; micro_batches <= 4; ++micro_batches) {
      for (std::size_t local_batch : {1u, 3u, 8u}) {
        auto const data = network::samples(workers * micro_batches * local_batch);
        auto const found =
            gradient_of_step<Real>(network::Batch(data), model, network::plan(weir::element_type_of<Real>),
                                   weights, {workers, micro_batches, local_batch});
        CAPTURE(workers);
        CAPTURE(micro_batches);
        CAPTURE(local_batch);
        CHECK(network::relative_error(weights, network::Batch(data), local_batch, found) <= tolerance);
      }
    }
  }
}

}

TEST_CASE("k workers with m micro-batches of b samples give the float gradient of one big batch") {
  check_against_one_batch<float>(1e-6);
}

TEST_CASE("k workers with m micro-batches of b samples give the double gradient of one big batch") {
  check_against_one_batch<double>(1e-14);
}

TEST_CASE("integer data give the gradient of one big batch bit by bit, whenever it is scaled") {
  auto const plan = weir::BucketPlan::by_bytes({40, 28}, 1, 1);
  std::size_t const elements[] = {10, 7};
  std::vector<float> weights(17);
  IntegerModel const model;
  for (std::size_t workers : {1u, 2u, 4u, 8u}) {
    for (std::size_t micro_batches : {1u, 2u, 4u}) {
      for (std::size_t local_batch : {1u, 4u}) {
        std::size_t const count = workers * micro_batches * local_batch;
        std::vector<int> data;
        for (std::size_t i = 0; i < count; ++i) data.push_back(static_cast<int>(i * 7919 % 20011) - 10000);
        std::vector<float> expected;
        for (std::size_t p = 0; p < 2; ++p) {
          for (std::size_t i = 0; i < elements[p]; ++i) {
            double sum = 0.0;
            for (int sample : data) sum += sample * static_cast<int>(i + 1 + p);
            expected.push_back(static_cast<float>(sum / static_cast<double>(count)));
          }
        }
        for (auto time : {ScaleTime::automatic, ScaleTime::before_sum, ScaleTime::after_sum}) {
          CAPTURE(count);
          CHECK(same_bits(gradient_of_step(std::span<int const>(data), model, plan, weights,
                                           {workers, micro_batches, local_batch}, time),
                          expected));
        }
      }
    }
  }
}

TEST_CASE("a scale policy says by what the sum is divided") {
  auto const plan = weir::BucketPlan::by_bytes({4, 4}, 1, 1);
  std::vector<float> weights(2);
  // Of four micro-batches of 2 samples the third is ragged and the fourth is empty: (2 + 3 + 6 / 2) * 2 / 5.
  std::vector<int> const data = {1, 3, 2, 4, 6};
  IntegerModel const model;
  auto const scaled = [&](auto policy, ScaleTime time) {
    return gradient_of_step(std::span<int const>(data), model, plan, weights, {2, 2, 2}, time, policy)[0];
  };
  for (auto time : {ScaleTime::before_sum, ScaleTime::after_sum}) {
    CHECK(scaled(weir::SumScale{}, time) == 8.0f);
    CHECK(scaled(weir::MeanOverMicroBatches{}, time) == 2.0f);
    CHECK(scaled(weir::MeanOverSamples{}, time) == doctest::Approx(16.0 / 5.0).epsilon(1e-6));
  }
}

TEST_CASE("the workers' sum is taken in worker order") {
  auto const model = [](auto& micro) {
    constexpr float values[] = {1.0f, 0x1p-24f, 0x1p-24f, -1.0f};
    for (std::size_t p = 0; p < 2; ++p) micro.gradient(p)[0] = values[micro.worker()];
  };
  auto const plan = weir::BucketPlan::by_bytes({4, 4}, 1, 1);
  std::vector<float> weights(2);
  std::vector<int> const data(4);
  // ((1 + e) + e) - 1 is 0 in float; any other order would leave an e.
  for (int run = 0; run < 20; ++run) {
    CHECK(gradient_of_step(std::span<int const>(data), model, plan, weights, {4, 1, 1}, ScaleTime::automatic,
                           weir::SumScale{}) == std::vector<float>{0.0f, 0.0f});
  }
}

TEST_CASE("16-bit gradients are scaled before the sum, so that it cannot overflow") {
  auto const model = [](auto& micro) {
    auto const gradient = micro.template gradient<weir::half>(0);
    gradient[0] = weir::half(40000.0f);
    gradient[1] = weir::half(3.0f);
  };
  auto const plan = weir::BucketPlan::by_bytes({4}, 1, 1, weir::ElementType::float16);
  std::vector<float> weights(2);
  std::vector<int> const data(4);
  CHECK(gradient_of_step(std::span<int const>(data), model, plan, weights, {4, 1, 1}) ==
        std::vector<float>{40000.0f, 3.0f});
  CHECK(gradient_of_step(std::span<int const>(data), model, plan, weights, {2, 2, 1}) ==
        std::vector<float>{40000.0f, 3.0f});
  CHECK(gradient_of_step(std::span<int const>(data), model, plan, weights, {4, 1, 1}, ScaleTime::after_sum) ==
        std::vector<float>{40000.0f, 3.0f});  // summed in 32 bits
}

TEST_CASE("what follows sees the mean where the sum was scaled before, else the sum and a factor of 1 / N") {
  struct Seen {
    float value;
    double factor;
    bool operator==(Seen const&) const = default;
  };
  auto const seen_of = [](auto element, ScaleTime time) {
    using Element = decltype(element);
    auto const model = [](auto& micro) { micro.template gradient<Element>(0)[0] = Element(40960.0f); };
    std::vector<Seen> seen;
    auto const look = [&](auto const& gradient) {
      seen.push_back({gradient.values[0], gradient.scale.factor()});
    };
    auto const plan = weir::BucketPlan::by_bytes({sizeof(Element)}, 1, 1, weir::element_type_of<Element>);
    weir::HostExecutor const executor;
    std::vector<float> weights(1);
    weir::StreamWorkerPool pool{executor, {.workers = 4, .buckets = plan}};
    std::vector<std::vector<float>> steps;
    auto sync = (weir::LocalAggregator{weir::MeanOverSamples{}, time} | Peek{look} | Collect<float>{steps})
                    .on(pool, weir::view(weights));
    std::vector<int> const data(4);
    sync(pool(std::span<int const>(data), model));
    sync.wait();
    CHECK(steps == std::vector<std::vector<float>>{{40960.0f}});
    REQUIRE(seen.size() == 1);
    return seen[0];
  };
  Seen const scaled{40960.0f, 1.0}, summed{163840.0f, 0.25};
  CHECK(seen_of(weir::half{}, ScaleTime::automatic) == scaled);
  CHECK(seen_of(weir::bfloat16{}, ScaleTime::automatic) == scaled);
  CHECK(seen_of(float{}, ScaleTime::automatic) == summed);
  CHECK(seen_of(weir::half{}, ScaleTime::after_sum) == summed);
  CHECK(seen_of(weir::half{}, ScaleTime::before_sum) == scaled);
  CHECK(seen_of(float{}, ScaleTime::after_sum) == summed);
  CHECK(seen_of(float{}, ScaleTime::before_sum) == scaled);
}
