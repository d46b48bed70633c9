// The verbs of sparsification on a device against those of the host: the same bits of all that they leave
// behind, for any size, alignment and data.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "host/verb_oracle.hpp"
#include "support/cuda/device_bucket.hpp"
#include "support/cuda/test_size.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/graph.hpp"

namespace {

using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;

template <class Policy, class Element, class Real>
void check(SparseBucketOptions const& options, std::vector<std::vector<Element>> const& gradients,
           std::size_t offset = 0) {
  weir::HostExecutor const host;
  weir::CudaExecutor const executor;
  std::size_t const size = gradients[0].size();
  SparseBucket<Real, Element> expected(host, size, options);
  DeviceBucket<Real, Element> found(executor, size, options, offset);
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    CAPTURE(std::string(Policy::name));
    CAPTURE(size);
    CAPTURE(options.density);
    CAPTURE(offset);
    CAPTURE(step);
    expected.step(gradients[step], Policy{});
    found.set_gradient(gradients[step]);
    sparsify(executor, found.describe(), Policy{});
    auto const state = found.state();
    CHECK(found.counts().count == expected.counts.count);
    CHECK(found.counts().wanted == expected.counts.wanted);
    CHECK(state.last.threshold == expected.state.last.threshold);
    CHECK(std::memcmp(&state, &expected.state, sizeof state) == 0);
    CHECK(found.indices() == expected.indices());
    CHECK(oracle::same(found.values(), expected.values()));
    if (options.feedback) CHECK(oracle::same(found.residual(), expected.residual()));
    if (options.momentum) CHECK(oracle::same(found.momentum(), expected.momentum()));
  }
}

/// The same gradient again and again, captured and not, beside other work.
template <class Policy>
void check_repeats(bool has_feedback) {
  CAPTURE(std::string(Policy::name));
  CAPTURE(has_feedback);
  std::size_t const size = case_size(4'000'001, 270'001);
  SparseBucketOptions const options{.density = 0.01, .feedback = has_feedback};
  weir::HostExecutor const host;
  weir::CudaExecutor const executor, neighbour;
  weir::Buffer<float, weir::CudaExecutor> const busy(neighbour, 64 << 20);
  auto const gradient = Draws(89).laplace(size);
  SparseBucket<float> expected(host, size, options);
  DeviceBucket<float> found(executor, size, options);
  found.set_gradient(gradient);
  sparsify(executor, found.describe(), Policy{});
  expected.step(gradient, Policy{});
  CHECK(expected.counts.count != 0);
  auto const graph =
      weir::CudaGraph::capture(executor, [&] { sparsify(executor, found.describe(), Policy{}); });
  for (int repeat = 0; repeat < (small_cases_only() ? 5 : 100); ++repeat) {
    CAPTURE(repeat);
    if (repeat % 3 == 0) weir::set_zero(neighbour, busy.view());
    if (repeat % 2 == 0) {
      graph.replay();
    } else {
      sparsify(executor, found.describe(), Policy{});
    }
    if (has_feedback) expected.step(gradient, Policy{});  // or it is the same again
    CHECK(found.state().last.threshold == expected.last().threshold);
    CHECK(found.indices() == expected.indices());
    CHECK(oracle::same(found.values(), expected.values()));
    if (has_feedback) CHECK(oracle::same(found.residual(), expected.residual()));
  }
  neighbour.synchronize();
}

template <class... Policy>
void check_each(SparseBucketOptions const& options, std::vector<std::vector<float>> const& gradients,
                std::size_t offset = 0) {
  (check<Policy, float, float>(options, gradients, offset), ...);
}

void check_all(SparseBucketOptions const& options, std::vector<std::vector<float>> const& gradients,
               std::size_t offset = 0) {
  check_each<weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto, weir::SampledTopK,
             weir::GaussianK, weir::RandomK>(options, gradients, offset);
}

std::vector<std::vector<float>> laplace(std::size_t size, int steps, std::uint64_t seed) {
  Draws draws(seed);
  std::vector<std::vector<float>> gradients;
  for (int step = 0; step < steps; ++step) gradients.push_back(draws.laplace(size));
  return gradients;
}

}  // namespace

TEST_CASE("a step on a device leaves behind what one of the host does, at any size and alignment") {
  SparseBucketOptions const options{.density = 0.01, .feedback = true};
  for (std::size_t const size : {1u, 2u, 31u, 33u, 5000u}) {
    check_all(options, laplace(size, 3, 81));
    check_all(options, laplace(size, 2, 82), 1);
  }
  for (std::size_t const size :
       {(std::size_t{1} << 20) - 1, std::size_t{1} << 20, (std::size_t{1} << 20) + 1}) {
    std::size_t const used = case_size(size, 300'001);
    for (double const density : {0.1, 0.01, 0.001}) {
      check_all({.density = density, .feedback = true}, laplace(used, 2, 83), used % 3);
    }
  }
}

TEST_CASE("the same of ties, clusters, ramps and constants, with little room and without feedback") {
  std::size_t const size = case_size(2'000'003, 270'001);
  Draws draws(84);
  std::vector<float> ramp(size), late(size, 0.25f);
  for (std::size_t i = 0; i < size; ++i) ramp[i] = static_cast<float>(i) * (i % 2 == 0 ? 1.0f : -1.0f);
  for (std::size_t i = size - 3000; i < size; ++i) late[i] = static_cast<float>(i % 7);
  std::vector<std::vector<float>> const others{
      draws.mixture(size),           ramp, late, draws.quantised(size, 5), std::vector<float>(size, 0.5f),
      std::vector<float>(size, 0.0f)};
  for (double const density : {0.001, 0.02, 0.3}) {
    check_each<weir::Histogram, weir::ExactTopK, weir::GeneralizedPareto>({.density = density}, others);
  }
  check_each<weir::Histogram, weir::ExactTopK, weir::Exponential>(
      {.density = 0.01, .feedback = true, .capacity = 77}, others);
}

TEST_CASE("the same with momentum, in 16 bits, with a reused threshold and adaptive stages") {
  SparseBucketOptions options{.density = 0.01, .feedback = true, .momentum = true};
  options.constants.momentum = 0.9;
  options.constants.rounds_values = true;
  options.constants.precision = weir::ElementType::float16;
  options.constants.reuse = {.interval = 3, .gain = 0.02};
  options.constants.stages.count = weir::StageCount::adaptive;
  options.constants.stages.moves_first_ratio = true;
  check_each<weir::Exponential, weir::GeneralizedPareto>(options, laplace(300'001, 8, 85));
  options.constants.stages = {};
  check_each<weir::Histogram, weir::ExactTopK>(options, laplace(300'001, 8, 86));
}

TEST_CASE("the same of what is not finite") {
  auto gradients = laplace(300'001, 3, 87);
  for (std::size_t i = 3; i < gradients[1].size(); i += 9000)
    gradients[1][i] = i % 18'000 == 3 ? 1.0f / 0.0f : 0.0f / 0.0f;
  for (auto const policy : {weir::NonFinitePolicy::skip, weir::NonFinitePolicy::propagate}) {
    SparseBucketOptions options{.density = 0.01, .feedback = true};
    options.constants.non_finite = policy;
    check_all(options, gradients);
  }
}

TEST_CASE("the same of other elements") {
  std::size_t const size = 300'007;
  auto const floats = laplace(size, 2, 88);
  std::vector<std::vector<weir::half>> halves(2);
  std::vector<std::vector<weir::bfloat16>> brains(2);
  std::vector<std::vector<double>> doubles(2);
  for (std::size_t step = 0; step < 2; ++step) {
    for (float const x : floats[step]) {
      halves[step].emplace_back(x);
      brains[step].emplace_back(x);
      doubles[step].push_back(static_cast<double>(x) * (step == 0 ? 1e-200 : 1e250));
    }
  }
  SparseBucketOptions const options{.density = 0.02, .feedback = true};
  check<weir::Histogram, weir::half, float>(options, halves);
  check<weir::Exponential, weir::bfloat16, float>(options, brains, 1);
  check<weir::ExactTopK, double, double>(options, doubles);
  check<weir::GeneralizedPareto, double, double>({.density = 0.02}, doubles, 1);
}

TEST_CASE("a hundred repeats, captured and beside other work, give the bits of the host") {
  for (bool const has_feedback : {false, true}) {
    check_repeats<weir::Histogram>(has_feedback);
    check_repeats<weir::ExactTopK>(has_feedback);
    check_repeats<weir::Exponential>(has_feedback);
    check_repeats<weir::GeneralizedPareto>(has_feedback);
  }
}

TEST_CASE("pairs are moved into and out of vectors and valid sides as on the host") {
  weir::CudaExecutor const executor;
  std::size_t const size = 70'001;
  DeviceBucket<float> bucket(executor, size, {.density = 0.01, .feedback = true});
  auto const gradient = Draws(90).laplace(size);
  bucket.set_gradient(gradient);
  auto const work = bucket.describe();
  sparsify(executor, work, weir::ExactTopK{});
  weir::Buffer<float, weir::CudaExecutor> const dense(executor, size), all(executor, size);
  set_zero(executor, dense.view());
  std::uint64_t const* const count = &work.out.counts->count;
  scatter_add(executor, work.out.indices, work.out.values, count, dense.view());
  take_all(executor, bucket.residual_sides(), all.view());
  add_scaled(executor, dense.view(), 1.0f, all.view());
  CHECK(weir::to_host(executor, all.view()) == gradient);  // what is sent and what is left
  for (float const left : bucket.residual()) REQUIRE(left == 0.0f);
  weir::copy(executor, weir::DeviceView<float const>(all.view()), bucket.residual_sides());
  weir::Buffer<float, weir::CudaExecutor> const taken(executor, work.out.indices.size());
  take_at(executor, bucket.residual_sides(), work.out.indices, count, taken.view());
  auto const values = bucket.values();
  auto const taken_values = weir::to_host(executor, taken.view().part(0, values.size()));
  CHECK(taken_values == values);
  weir::gather(executor, all.view(), work.out.indices, count, taken.view());
  CHECK(weir::to_host(executor, taken.view().part(0, values.size())) == values);
  zero_at(executor, work.out.indices, count, all.view());
  CHECK(weir::to_host(executor, all.view()) == bucket.residual());
}
