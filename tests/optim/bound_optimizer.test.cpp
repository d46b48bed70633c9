#include "weir/optim/bound_optimizer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/gradients.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

/// Trains 5 steps with weights of any shape.
template <class Views, class Optimizer>
void train(Views const& views, weir::BucketPlan const& plan, Optimizer const& optimizer) {
  auto const data = network::samples(24);
  auto const model = network::model();
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = plan, .local_batch = 4}};
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | optimizer).on(pool, views);
  for (int step = 0; step < 5; ++step) sync(pool(network::Batch(data), model));
  sync.wait();
}

}

TEST_CASE("the step counts once per step, whatever the number of buckets") {
  for (std::size_t cap : {1u, 1000u}) {
    auto const data = network::samples(4);
    auto const model = network::model();
    auto weights = network::initial_weights();
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{
        executor,
        {.workers = 2, .buckets = weir::BucketPlan::by_bytes({96, 24, 144, 24}, cap, cap), .local_batch = 2}};
    auto sync = (weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.01, .beta1 = 0.5, .beta2 = 0.25}})
                    .on(pool, weir::view(weights));
    for (int step = 0; step < 3; ++step) sync(pool(network::Batch(data), model));
    sync.wait();
    auto const state = sync.stage<weir::AdamW>().state();
    CHECK(state.step == 3);
    CHECK(state.beta1_power == 0.125);
    CHECK(state.beta2_power == 0x1p-6);
    CHECK(state.learning_rate == 0.01);
  }
}

TEST_CASE("the learning rate is read once per step: a change in mid-step takes effect in the next") {
  weir::HostExecutor const executor;
  std::vector<float> weights(2);
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::by_bytes({4, 4}, 1, 1)}};
  bool is_running = false;
  auto const model = [&](auto& micro) {
    is_running = true;
    for (std::size_t p = 0; p < 2; ++p) micro.gradient(p)[0] = 1.0f;
    micro.ready(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the caller sets the rate now
  };
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}}).on(pool, weir::view(weights));
  int const samples[1] = {};
  sync(pool(std::span<int const>(samples), model));
  sync.set_learning_rate(0.25);
  sync.wait();
  executor.synchronize();
  CHECK(is_running);
  CHECK(weights == std::vector<float>{-1.0f, -1.0f});
  sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(weights == std::vector<float>{-1.25f, -1.25f});
}

TEST_CASE("a list of views in any memory gives the same bits as one flat vector, in one bucket or in many") {
  weir::Sgd const sgd{{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01}};
  weir::AdamW const adamw{{.learning_rate = 0.01}};
  auto const check = [](auto const& optimizer) {
    for (std::size_t cap : {1u, 100u, 100'000u}) {
      auto const plan = weir::BucketPlan::by_bytes({96, 24, 144, 24}, cap, cap);
      auto flat = network::initial_weights();
      train(weir::view(flat), plan, optimizer);

      auto const initial = network::initial_weights();
      std::vector<std::vector<float>> parts;
      for (std::size_t p = 0; p < network::parameters; ++p)
        parts.emplace_back(initial.begin() + static_cast<std::ptrdiff_t>(network::offsets[p]),
                           initial.begin() + static_cast<std::ptrdiff_t>(network::offsets[p + 1]));
      std::vector<weir::TensorView<float, weir::HostSpace>> views;
      for (auto& part : parts) views.push_back(weir::view(part));
      train(views, plan, optimizer);

      std::vector<float> joined;
      for (auto const& part : parts) joined.insert(joined.end(), part.begin(), part.end());
      CHECK(same_bits(joined, flat));
    }
  };
  check(sgd);
  check(adamw);
}

TEST_CASE("the plan of buckets changes no bit of the result") {
  auto const result_of = [](weir::BucketPlan const& plan) {
    auto weights = network::initial_weights();
    train(weir::view(weights), plan, weir::AdamW{{.learning_rate = 0.01}});
    return weights;
  };
  auto const expected = result_of(network::plan());
  CHECK(same_bits(result_of(weir::BucketPlan::by_bytes({96, 24, 144, 24})), expected));
  std::vector<weir::Parameter> const list = {{24}, {6}, {36}, {6}};
  CHECK(same_bits(result_of(weir::BucketPlan(list, {{0, 2}, {3, 1}})), expected));
}

TEST_CASE("moments, powers and the learning rate to come are saved and loaded") {
  auto const data = network::samples(8);
  auto const model = network::model();
  weir::HostExecutor const executor;
  auto const recipe = weir::LocalAggregator{} | weir::AdamW{{.learning_rate = 0.01}};
  auto weights = network::initial_weights();
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = network::plan(), .local_batch = 4}};
  auto sync = recipe.on(pool, weir::view(weights));
  for (int step = 0; step < 3; ++step) sync(pool(network::Batch(data), model));
  sync.set_learning_rate(0.125);
  executor.synchronize();
  weir::Archive archive;
  sync.save(archive);

  CHECK(archive.get_value<double>("optimizer.learning_rate", 0) == 0.125);
  CHECK(archive.get_value<std::uint64_t>("optimizer.step", 0) == 3);
  CHECK(archive.get<float>("adamw.first_moment", 1).size() == 36);
  for (float moment : archive.get<float>("adamw.second_moment", 3)) CHECK(moment >= 0.0f);

  auto loaded = network::initial_weights();
  weir::StreamWorkerPool other{executor, {.workers = 2, .buckets = network::plan(), .local_batch = 4}};
  auto again = recipe.on(other, weir::view(loaded));
  again.load(archive);
  for (int step = 0; step < 3; ++step) {
    sync(pool(network::Batch(data), model));
    again(other(network::Batch(data), model));
  }
  sync.wait();
  again.wait();
  CHECK(same_bits(loaded, weights));
}

namespace {

/// A launch of another source, for the version of the weights that lies so far away.
template <class Launch>
struct Shifted {
  Launch launch;
  weir::WeightShift shift;

  std::size_t samples() const { return launch.samples(); }
  weir::WeightShift weight_shift() const { return shift; }
  template <class Sink>
  void start(Sink& sink, weir::StepInfo const& step) const {
    launch.start(sink, step);
  }
};

template <class Launch>
Shifted(Launch, weir::WeightShift) -> Shifted<Launch>;

}  // namespace

TEST_CASE_TEMPLATE("an update from one version of the weights to another has the bits of one in place",
                   Optimizer, weir::Sgd, weir::AdamW) {
  auto const optimizer = [] {
    if constexpr (std::is_same_v<Optimizer, weir::Sgd>) {
      return weir::Sgd{{.learning_rate = 0.25, .momentum = 0.5, .weight_decay = 0.125}};
    } else {
      return weir::AdamW{{.learning_rate = 0.25}};
    }
  }();
  constexpr std::size_t size = 7;
  std::vector<float> gradient{1, -2, 3, -4, 5, -6, 7};
  std::vector<float> in_place{7, 6, 5, 4, 3, 2, 1};
  std::vector<float> versions(3 * size);
  std::copy(in_place.begin(), in_place.end(), versions.begin());
  weir::HostExecutor const executor;
  auto const plan = weir::BucketPlan::by_bytes({12, 16}, 1, 1);
  std::size_t const samples[] = {1};
  weir::Gradients source{executor, plan, std::vector{weir::view(gradient)}};
  auto sync = (weir::LocalAggregator{} | optimizer).on(source, weir::view(in_place));
  weir::Gradients other{executor, plan, std::vector{weir::view(gradient)}};
  auto shifting = (weir::LocalAggregator{} | optimizer).on(other, weir::view(versions).part(0, size));
  auto const place = [](std::size_t version) { return static_cast<std::ptrdiff_t>(version % 3 * size); };
  for (std::size_t step = 0; step < 5; ++step) {
    std::vector<float> const before(versions.begin() + place(step), versions.begin() + place(step) + size);
    sync(source(samples, {}, 1));
    shifting(Shifted{other(samples, {}, 1), {.read = place(step), .write = place(step + 1)}});
    sync.wait();
    shifting.wait();
    CHECK(std::equal(in_place.begin(), in_place.end(), versions.begin() + place(step + 1)));
    CHECK(std::equal(before.begin(), before.end(), versions.begin() + place(step)));
  }
}

TEST_CASE("A learning rate that can only be a mistake is refused, and the old one kept") {
  weir::HostExecutor const executor;
  std::vector<float> weights(2), gradient(2, 1.0f);
  weir::Gradients source{executor, weir::BucketPlan::by_bytes({8}), std::vector{weir::view(gradient)}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.5}}).on(source, weir::view(weights));
  for (double wrong :
       {-0.5, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH_AS(sync.set_learning_rate(wrong),
                         doctest::Contains("it has to be finite and at least 0"), weir::ContractViolation);
  }
  std::size_t const samples[] = {1};
  sync(source(samples));
  sync.wait();
  CHECK(weights == std::vector<float>{-0.5f, -0.5f});
}
