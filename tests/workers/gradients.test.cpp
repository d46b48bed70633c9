#include "weir/workers/gradients.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "support/ranks.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"

namespace {

weir::BucketPlan two_parameters() {
  return weir::BucketPlan::by_bytes({20, 12}, 1, 1);
}

auto plain_sgd() {
  return weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}};
}

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
  std::size_t const samples[] = {1, 2};
  CHECK_THROWS_AS((void)source(samples), weir::ContractViolation);
  CHECK_THROWS_WITH_AS((void)(weir::GradAccumulator{2} | plain_sgd()).on(source, weir::view(weights)),
                       doctest::Contains("cannot accumulate"), weir::ContractViolation);
}
