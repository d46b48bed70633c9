// Parameters of 0 to 129 elements at 0 to 31 elements from where their bucket begins, in weights that begin
// at 0 to 31 elements from an aligned address: whole recipes, with what lies between the parameters
// untouched.
#include <doctest/doctest.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "fault/training.hpp"
#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

constexpr std::size_t sizes = 130;

/// Bucket n has a parameter of `offset` elements, then one of n elements.
weir::BucketPlan plan_for(std::size_t offset, weir::ElementType type) {
  std::vector<weir::Parameter> parameters;
  std::vector<std::vector<std::size_t>> buckets;
  for (std::size_t size = 0; size < sizes; ++size) {
    buckets.push_back({parameters.size(), parameters.size() + 1});
    parameters.push_back({.elements = offset, .type = type});
    parameters.push_back({.elements = size, .type = type});
  }
  return {parameters, buckets};
}

/// Parameters in one row of memory with gaps of `offset + 1` elements between them, filled with a mark.
template <class Real>
struct Spaced {
  static constexpr Real mark = Real(77);

  std::vector<Real> memory;
  std::vector<std::size_t> begins;
  std::vector<std::size_t> counts;

  Spaced(weir::BucketPlan const& plan, std::size_t offset) {
    std::size_t end = offset;
    for (std::size_t p = 0; p < plan.parameters(); ++p) {
      begins.push_back(end);
      counts.push_back(plan.parameter(p).elements);
      end += counts.back() + offset + 1;
    }
    memory.assign(end, mark);
    for (std::size_t p = 0; p < counts.size(); ++p) {
      for (std::size_t i = 0; i < counts[p]; ++i) memory[begins[p] + i] = static_cast<Real>((i + p) % 7);
    }
  }

  std::vector<weir::TensorView<Real, weir::HostSpace>> views() {
    std::vector<weir::TensorView<Real, weir::HostSpace>> views;
    for (std::size_t p = 0; p < counts.size(); ++p) views.push_back({memory.data() + begins[p], counts[p]});
    return views;
  }
};

/// What two steps of plain gradient descent with `TestModel` make of the weights: all sums are exact.
template <class Real>
void descend(Spaced<Real>& weights, Real mean_sample, Real rate) {
  for (std::size_t p = 0; p < weights.counts.size(); ++p) {
    for (std::size_t i = 0; i < weights.counts[p]; ++i) {
      Real& weight = weights.memory[weights.begins[p] + i];
      weight -= rate * (mean_sample + static_cast<Real>(p % 4) - weight);
    }
  }
}

template <class Real, class Element>
void check_offset(std::size_t offset) {
  CAPTURE(offset);
  auto const plan = plan_for(offset, weir::element_type_of<Element>);
  constexpr std::size_t ranks = 2;
  constexpr std::size_t workers = 2;
  auto const group = weir::ThreadCommunicator::group(ranks);
  auto const samples = small_integers(ranks * workers * 2);  // two micro-batches
  float sum = 0;
  for (float sample : samples) sum += sample;
  Real const mean = static_cast<Real>(sum) / static_cast<Real>(samples.size());

  Spaced<Real> expected(plan, offset);
  for (int step = 0; step < 2; ++step) descend(expected, mean, Real(0.25));

  auto const train = [&](auto const& update) {
    std::vector<Spaced<Real>> weights(ranks, Spaced<Real>(plan, offset));
    TestModel<Element> const model{plan.parameters()};
    auto const recipe = [&](std::size_t rank) {
      return weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::NonFinite{} |
             weir::AllReduce{group[rank]} | weir::Clip{{.max_norm = 1e9}} | update;
    };
    weir::HostExecutor const first, second;
    weir::WorkerOptions const options{.workers = workers, .buckets = plan};
    weir::StreamWorkerPool<weir::HostExecutor, Real> pool_0(first, options), pool_1(second, options);
    auto sync_0 = recipe(0).on(pool_0, weights[0].views());
    auto sync_1 = recipe(1).on(pool_1, weights[1].views());
    for (int step = 0; step < 2; ++step) {
      sync_0(pool_0(std::span(samples), model));
      sync_1(pool_1(std::span(samples), model));
    }
    sync_0.wait();
    sync_1.wait();
    CHECK(hash_of(weights[0].memory) == hash_of(expected.memory));
    CHECK(hash_of(weights[1].memory) == hash_of(expected.memory));
  };
  weir::Sgd const sgd{{.learning_rate = 0.25}};
  train(sgd);
  train(weir::WeightSync{weir::WeightPolicy::overlap, sgd});
}

}  // namespace

TEST_CASE("odd sizes at odd offsets, float") {
  for (std::size_t offset = 0; offset < 32; ++offset) check_offset<float, float>(offset);
}

TEST_CASE("odd sizes at odd offsets, double") {
  for (std::size_t offset = 0; offset < 32; offset += 3) check_offset<double, double>(offset);
}

TEST_CASE("odd sizes at odd offsets, gradients of 16 bits") {
  for (std::size_t offset = 0; offset < 32; offset += 3) check_offset<float, weir::bfloat16>(offset);
  for (std::size_t offset = 1; offset < 32; offset += 3) check_offset<float, weir::half>(offset);
}
