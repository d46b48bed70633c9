#include "weir/workers/gradients.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

weir::BucketPlan two_parameters() {
  return weir::BucketPlan::by_bytes({20, 12}, 1, 1);
}

auto plain_sgd() {
  return weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}};
}

/// The gradient that a step applies, of workers whose gradients are these values throughout.
template <class Scale>
std::vector<float> applied(Scale scale, weir::ScaleTime time, std::vector<float> const& values,
                           std::vector<std::size_t> const& samples) {
  weir::HostExecutor const executor;
  std::vector<std::vector<float>> memory;
  for (float value : values) memory.emplace_back(8, value);
  std::vector<weir::TensorView<float, weir::HostSpace>> views;
  for (auto& of_worker : memory) views.push_back(weir::view(of_worker));
  weir::Gradients source{executor, two_parameters(), views};
  std::vector<float> weights(8);
  auto sync = (weir::LocalAggregator{scale, time} | weir::Sgd{{.learning_rate = 1.0}})
                  .on(source, weir::view(weights));
  sync(source(samples));
  sync.wait();
  for (float& weight : weights) weight = 0.0f - weight;
  return weights;
}

/// Three gradients whose sums no 16-bit type holds, by a pool and as borrowed ones; rows that lie apart too.
template <class Element>
void check_against_pool() {
  constexpr std::size_t elements = 8, workers = 3;
  auto const type = weir::element_type_of<Element>;
  auto const plan = weir::BucketPlan::by_bytes({{5, type}, {elements - 5, type}}, 1000, 1000);
  auto const value = [](std::size_t worker, std::size_t i, int step) {
    return Element(static_cast<float>((worker == 0 ? 256 : 1) * (step + 1)) + static_cast<float>(i) / 8);
  };
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
  weir::HostExecutor const executor;

  std::vector<float> expected(elements, 0.3f);
  weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
  auto of_pool = recipe.on(pool, weir::view(expected));
  int steps = 0;
  auto const model = [&](auto& micro) {
    std::size_t i = 0;
    for (std::size_t p = 0; p < 2; ++p) {
      for (Element& g : micro.template gradient<Element>(p)) g = value(micro.worker(), i++, steps);
    }
  };
  int const batch[workers] = {};
  for (; steps < 3; ++steps) {
    of_pool(pool(std::span<int const>(batch), model));
    of_pool.wait();
  }

  using View = weir::TensorView<Element, weir::HostSpace>;
  std::vector<Element> memory(workers * 2 * elements);
  std::vector<View> rows;
  std::vector<std::vector<View>> apart;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    Element* const first = memory.data() + worker * 2 * elements;
    rows.push_back(View(first, elements));
    apart.push_back({View(first, 5), View(first + 6, elements - 5)});
  }
  auto const check = [&](auto const& views, std::size_t gap) {
    weir::Gradients source{executor, plan, views};
    static_assert(std::is_same_v<decltype(source), weir::Gradients<weir::HostExecutor, float, Element>>);
    std::vector<float> weights(elements, 0.3f);
    auto sync = recipe.on(source, weir::view(weights));
    for (int step = 0; step < 3; ++step) {
      for (std::size_t worker = 0; worker < workers; ++worker) {
        for (std::size_t i = 0; i < elements; ++i)
          memory[worker * 2 * elements + i + (i < 5 ? 0 : gap)] = value(worker, i, step);
      }
      std::vector<Element> const before = memory;
      sync(source(std::vector<std::size_t>(workers, 1)));
      sync.wait();
      CHECK(same_bits(memory, before));
    }
    CHECK(same_bits(weights, expected));
  };
  check(rows, 0);
  check(apart, 1);
}

constexpr weir::ScaleTime scale_times[] = {weir::ScaleTime::before_sum, weir::ScaleTime::after_sum};

}  // namespace

TEST_CASE("Borrowed mean gradients of different sizes give the exact mean") {
  weir::HostExecutor const executor;
  std::vector<float> weights(8), one(8, 2.0f), two(8, 5.0f);
  weir::Gradients source{executor, two_parameters(), std::vector{weir::view(one), weir::view(two)}};
  auto sync = plain_sgd().on(source, weir::view(weights));
  std::size_t const samples[] = {8, 3};
  sync(source(samples, {}, 11));
  sync.wait();
  for (float weight : weights) CHECK(weight == doctest::Approx(-31.0 / 11.0));
  CHECK(sync.consumed() == 11);
}

TEST_CASE("The gradient of a worker without samples may hold anything") {
  auto const all = [](float value) { return std::vector<float>(8, value); };
  for (float anything : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (auto const time : scale_times) {
      CAPTURE(anything);
      CHECK(applied(weir::MeanOverSamples{}, time, {2, anything}, {8, 0}) == all(2));
      CHECK(applied(weir::MeanOverSamples{}, time, {anything, 2}, {0, 8}) == all(2));
      CHECK(applied(weir::MeanOverSamples{}, time, {anything, 2, anything, 4}, {0, 8, 0, 8}) == all(3));
      CHECK(applied(weir::MeanOverSamples{}, time, {anything}, {0}) == all(0));
      CHECK(applied(weir::MeanOverSamples{}, time, {anything, anything}, {0, 0}) == all(0));
      CHECK(applied(weir::MeanOverMicroBatches{}, time, {anything, 2}, {0, 8}) == all(1));
      CHECK(applied(weir::SumScale{}, time, {2, anything}, {8, 0}) == all(2));
      CHECK(applied(weir::SumScale{}, time, {anything}, {0}) == all(0));
    }
  }
}

TEST_CASE("A rank whose workers all have no samples adds nothing to the sum of the ranks") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    bool const is_first = communicator.rank() == 0;
    std::vector<float> weights(8), gradient(8, is_first ? 2.0f : std::numeric_limits<float>::quiet_NaN());
    weir::Gradients source{executor, two_parameters(), std::vector{weir::view(gradient)}};
    auto sync = (weir::LocalAggregator{} | weir::AllReduce{communicator} | weir::Sgd{{.learning_rate = 1.0}})
                    .on(source, weir::view(weights));
    std::size_t const samples[] = {is_first ? std::size_t{8} : std::size_t{0}};
    sync(source(samples));
    sync.wait();
    CHECK(weights == std::vector<float>(8, -2.0f));
  });
}

TEST_CASE("Borrowed gradients count as full micro-batches where the scale does not count samples") {
  auto const all = [](float value) { return std::vector<float>(8, value); };
  for (auto const time : scale_times) {
    CHECK(applied(weir::MeanOverMicroBatches{}, time, {1, 1}, {32, 32}) == all(1));
    CHECK(applied(weir::MeanOverMicroBatches{}, time, {2, 5}, {8, 3}) == all(3.5f));
    CHECK(applied(weir::MeanOverMicroBatches{}, time, {2, 5, 1, 4}, {8, 3, 0, 1}) == all(2.75f));
    CHECK(applied(weir::SumScale{}, time, {1, 1}, {32, 32}) == all(2));
    CHECK(applied(weir::SumScale{}, time, {2, 5}, {8, 3}) == all(7));
    CHECK(applied(weir::SumScale{}, time, {2}, {8}) == all(2));
    CHECK(applied(weir::MeanOverSamples{}, time, {2, 5}, {24, 8}) == all(2.75f));
  }
}

TEST_CASE("Ranks with different numbers of workers give the mean and the sum over all micro-batches") {
  for (bool is_mean : {true, false}) {
    on_ranks(2, [is_mean](weir::ThreadCommunicator const& communicator) {
      weir::HostExecutor const executor;
      bool const is_first = communicator.rank() == 0;
      std::vector<float> weights(8), one(8, is_first ? 2.0f : 6.0f), two(8, 4.0f), three(8, 8.0f);
      std::vector<weir::TensorView<float, weir::HostSpace>> views = {weir::view(one)};
      std::vector<std::size_t> samples = {is_first ? std::size_t{8} : std::size_t{5}};
      if (is_first) {
        views.push_back(weir::view(two));
        views.push_back(weir::view(three));
        samples.insert(samples.end(), {3, 0});
      }
      weir::Gradients source{executor, two_parameters(), views};
      auto const train = [&](auto scale) {
        auto sync =
            (weir::LocalAggregator{scale} | weir::AllReduce{communicator} | weir::Sgd{{.learning_rate = 1.0}})
                .on(source, weir::view(weights));
        sync(source(samples));
        sync.wait();
      };
      if (is_mean) {
        train(weir::MeanOverMicroBatches{});
      } else {
        train(weir::SumScale{});
      }
      CHECK(weights == std::vector<float>(8, is_mean ? -3.0f : -12.0f));
    });
  }
}

TEST_CASE("Ranks that know only their own samples find out the sum") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    bool const is_first = communicator.rank() == 0;
    std::vector<float> weights(8), gradient(8, is_first ? 2.0f : 5.0f);
    weir::Gradients source{executor, two_parameters(), std::vector{weir::view(gradient)}};
    auto sync = (weir::LocalAggregator{} | weir::AllReduce{communicator} | weir::Sgd{{.learning_rate = 1.0}})
                    .on(source, weir::view(weights));
    std::size_t const samples[] = {is_first ? std::size_t{8} : std::size_t{3}};
    sync(source(samples));
    sync.wait();
    for (float weight : weights) CHECK(weight == doctest::Approx(-31.0 / 11.0));
    CHECK(sync.consumed() == 11);
  });
}

TEST_CASE("Views per parameter that lie apart are gathered, and left as they are") {
  weir::HostExecutor const executor;
  std::vector<float> weights(8), head(5, 1.0f), tail(3, 2.0f), other(8, 3.0f);
  using View = weir::TensorView<float, weir::HostSpace>;
  auto const plan = weir::BucketPlan::by_bytes({20, 12});  // one bucket for both
  std::vector<std::vector<View>> const views = {{weir::view(head), weir::view(tail)},
                                                {View(other.data(), 5), View(other.data() + 5, 3)}};
  weir::Gradients source{executor, plan, views};
  auto sync = plain_sgd().on(source, weir::view(weights));
  std::size_t const samples[] = {1, 1};
  sync(source(samples, {}, 2));
  sync.wait();
  CHECK(weights == std::vector<float>{-2, -2, -2, -2, -2, -2.5f, -2.5f, -2.5f});
  CHECK(head == std::vector<float>(5, 1.0f));
  CHECK(tail == std::vector<float>(3, 2.0f));
}

TEST_CASE("Borrowed gradients of 16 bits give the bits of a pool with the same ones, summed in 32") {
  check_against_pool<weir::half>();
  check_against_pool<weir::bfloat16>();
}

TEST_CASE("Borrowed gradients of doubles are those of doubles") {
  weir::HostExecutor const executor;
  std::vector<double> weights(8), gradient(8, 0.1);
  auto const plan = weir::BucketPlan::per_parameter({{8, weir::ElementType::float64}});
  weir::Gradients source{executor, plan, std::vector{weir::view(gradient)}};
  auto sync = plain_sgd().on(source, weir::view(weights));
  sync(source(std::vector<std::size_t>{1}));
  sync.wait();
  CHECK(weights == std::vector<double>(8, -0.1));
}

TEST_CASE("A gradient is not read before the event that comes with it") {
  weir::HostExecutor const executor;
  weir::HostExecutor const producer;
  std::vector<float> weights(8), gradient(8, 0.0f);
  auto const ready = producer.make_event();
  weir::Gradients source{executor, two_parameters(), std::vector{weir::view(gradient)}};
  auto sync = plain_sgd().on(source, weir::view(weights));
  for (int step = 1; step <= 20; ++step) {
    producer.submit([&gradient, step] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      for (float& g : gradient) g = static_cast<float>(step);
    });
    producer.record(ready);
    std::size_t const samples[] = {1};
    weir::HostEvent const* const events[] = {&ready};
    sync(source(samples, events, 1));
    sync.wait();
  }
  for (float weight : weights) CHECK(weight == -210.0f);
}

TEST_CASE("What does not fit a borrowed source is refused") {
  weir::HostExecutor const executor;
  std::vector<float> weights(8), gradient(8), shorter(7);
  CHECK_THROWS_AS(weir::Gradients(executor, two_parameters(), std::vector{weir::view(shorter)}),
                  weir::ContractViolation);
  weir::Gradients source{executor, two_parameters(), std::vector{weir::view(gradient)}};
  std::vector<weir::bfloat16> narrow(8);
  CHECK_THROWS_WITH_AS(
      weir::Gradients(executor, two_parameters(), std::vector{weir::view(narrow)}),
      "Gradients: bucket 0 is of float32, the views of bfloat16; a plan of that would be right",
      weir::ContractViolation);
  std::size_t const samples[] = {1, 2};
  CHECK_THROWS_AS((void)source(samples), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(
      (void)(weir::GradAccumulator{2} | plain_sgd()).on(source, weir::view(weights)),
      "2 micro-batches per worker: this source gives gradients that are final, 1 would be right",
      weir::ContractViolation);
}
