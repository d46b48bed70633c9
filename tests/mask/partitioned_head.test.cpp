#include "weir/mask/partitioned_head.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using weir_test::Batch;
using Pool = weir::StreamWorkerPool<weir::HostExecutor, double>;
constexpr auto by_sample = weir::BatchOrder::batch_major;

weir::WorkerOptions workers(std::size_t count) {
  return {.workers = count, .buckets = weir::BucketPlan::by_bytes({8}, 1, 1, weir::ElementType::float64)};
}

/// A head of 3 groups with everything that its passes need; the loss is the sum over outputs of
/// coefficient * y.
struct Problem {
  explicit Problem(std::size_t streams, weir::Activation activation = weir::Activation::relu)
      : pool(exec, workers(streams)),
        head({.features = 24, .classes = 5, .groups = 3, .activation = activation}),
        values(head.value_count()),
        bias(head.bias_count()),
        gradient(values.size(), 7.0),
        bias_gradient(bias.size(), 7.0) {
    head.initialise(std::span(values), {.seed = 3});
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = 0.125 * static_cast<double>(i % 5);
    weir_test::fill_batch(x, 1);
    weir_test::fill_batch(coefficients, 2);
  }

  double loss() {
    head.on(exec).forward<double>(pool, weir::view(values), weir::view(bias), x.constant(), hidden.view(),
                                  y.view());
    exec.synchronize();
    double sum = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      for (std::size_t k = 0; k < 5; ++k) sum += y(i, k) * coefficients(i, k);
    }
    return sum;
  }

  void backward(weir::GradientMode mode) {
    Batch<double> dy = coefficients, dhidden(samples, 15, by_sample, 2);
    head.on(exec).backward<double>(pool, weir::view(values), x.constant(), hidden.constant(), y.constant(),
                                   dy.view(), dhidden.view(), dx.view(), weir::view(gradient),
                                   weir::view(bias_gradient), mode);
    exec.synchronize();
  }

  static constexpr std::size_t samples = 6;
  weir::HostExecutor exec;
  Pool pool;
  weir::PartitionedHead head;
  std::vector<double> values, bias, gradient, bias_gradient;
  Batch<double> x{samples, 24, by_sample, 3}, hidden{samples, 15, by_sample, 1}, y{samples, 5, by_sample};
  Batch<double> coefficients{samples, 5, by_sample}, dx{samples, 24, by_sample};
};

double slope(Problem& problem, double& number) {
  double const step = 1e-6, before = number;
  number = before + step;
  double const above = problem.loss();
  number = before - step;
  double const below = problem.loss();
  number = before;
  return (above - below) / (2 * step);
}

TEST_CASE("each head sees the features of its group, and the joint layer what all of them say") {
  Problem problem(2, weir::Activation::identity);
  problem.loss();
  auto const& head = problem.head;
  for (std::size_t i = 0; i < problem.samples; ++i) {
    std::vector<double> answers;
    for (std::size_t g = 0; g < 3; ++g) {
      auto const& mask = head.layer(g).mask();
      REQUIRE(mask.nnz() == 8 * 5);
      for (std::size_t k = 0; k < 5; ++k) {
        double sum = problem.bias[g * 5 + k];
        for (std::size_t slot = 0; slot < 8; ++slot) {
          sum += problem.values[head.first_value(g) + mask.value_index(k, slot)] *
                 problem.x(i, g * 8 + mask.column(k, slot));
        }
        answers.push_back(sum);
        CHECK(problem.hidden(i, g * 5 + k) == doctest::Approx(sum).epsilon(1e-12));
      }
    }
    auto const& joint = head.layer(3).mask();
    for (std::size_t k = 0; k < 5; ++k) {
      double sum = problem.bias[15 + k];
      for (std::size_t slot = 0; slot < 15; ++slot) {
        sum +=
            problem.values[head.first_value(3) + joint.value_index(k, slot)] * answers[joint.column(k, slot)];
      }
      CHECK(problem.y(i, k) == doctest::Approx(sum).epsilon(1e-12));
    }
  }
}

TEST_CASE("gradients of a partitioned head are the slopes of its loss") {
  Problem problem(3);
  problem.loss();
  problem.backward(weir::GradientMode::overwrite);
  auto const gradient = problem.gradient, bias_gradient = problem.bias_gradient;
  for (std::size_t i = 0; i < problem.values.size(); i += 7)
    CHECK(slope(problem, problem.values[i]) == doctest::Approx(gradient[i]).epsilon(1e-6));
  for (std::size_t i = 0; i < problem.bias.size(); i += 3)
    CHECK(slope(problem, problem.bias[i]) == doctest::Approx(bias_gradient[i]).epsilon(1e-6));
  for (std::size_t f = 0; f < 24; f += 5)
    CHECK(slope(problem, problem.x.view()(2, f)) == doctest::Approx(problem.dx(2, f)).epsilon(1e-6));
  problem.loss();
  problem.backward(weir::GradientMode::accumulate);
  for (std::size_t i = 0; i < gradient.size(); ++i)
    CHECK(problem.gradient[i] == doctest::Approx(2 * gradient[i]));
}

TEST_CASE("any number of workers gives the same bits") {
  Problem one(1);
  one.loss();
  one.backward(weir::GradientMode::overwrite);
  for (std::size_t count : {2u, 3u, 5u}) {
    Problem many(count);
    many.loss();
    many.backward(weir::GradientMode::overwrite);
    CHECK(many.y.elements == one.y.elements);
    CHECK(many.dx.elements == one.dx.elements);
    CHECK(many.gradient == one.gradient);
    CHECK(many.bias_gradient == one.bias_gradient);
  }
}

TEST_CASE("heads and the joint layer may be masked, each head by a design of its own") {
  weir::PartitionedHead const head(
      {.features = 64, .classes = 16, .groups = 2, .head = {.density = 0.25}, .joint = {.density = 0.5}});
  CHECK(head.layer(0).mask().nnz() == 32 * 16 / 4);
  CHECK(head.layer(2).mask().nnz() == 32 * 16 / 2);
  bool differ = false;
  for (std::size_t row = 0; row < 16; ++row)
    differ = differ || head.layer(0).mask().column(row, 3) != head.layer(1).mask().column(row, 3);
  CHECK(differ);
}

TEST_CASE("groups that do not divide the features, and arrays of another size, are refused") {
  CHECK_THROWS_WITH_AS(weir::PartitionedHead({.features = 10, .classes = 4, .groups = 3}),
                       "PartitionedHead: groups 3, a divisor of features 10 would be right (nearest: 2, 5)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::PartitionedHead({.features = 10, .classes = 0}),
                       "PartitionedHead: classes 0, at least 1 would be right", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::PartitionedHead({.features = 10, .classes = 4, .groups = 0}),
                       "PartitionedHead: groups 0, at least 1 would be right", weir::ContractViolation);
  Problem problem(1);
  problem.bias.pop_back();
  CHECK_THROWS_WITH_AS(problem.loss(),
                       "PartitionedHead::forward: bias has 19 elements and the head 20, they must have "
                       "equally many",
                       weir::ContractViolation);
  std::vector<double> values(problem.values.size() - 1);
  CHECK_THROWS_AS(problem.head.initialise(std::span(values)), weir::ContractViolation);
}

TEST_CASE("a backward pass with anything of another size is refused and changes nothing") {
  Problem problem(2);
  problem.loss();
  auto const check_refused = [&](char const* text) {
    CHECK_THROWS_WITH_AS(problem.backward(weir::GradientMode::accumulate), text, weir::ContractViolation);
    for (double const value : problem.bias_gradient) CHECK(value == 7.0);
    for (double const value : problem.gradient) CHECK(value == 7.0);
  };
  problem.gradient.pop_back();
  check_refused(
      "PartitionedHead::backward: gradient has 194 elements and the head 195, they must have equally many");
  problem.gradient.resize(196, 7.0);
  check_refused(
      "PartitionedHead::backward: gradient has 196 elements and the head 195, they must have equally many");
  problem.gradient.pop_back();
  problem.dx = Batch<double>(Problem::samples, 5, by_sample);
  check_refused(
      "PartitionedHead::backward: dx has 5 features and the mask 24 features, they must be equally many");
  problem.dx = Batch<double>(Problem::samples - 1, 24, by_sample);
  check_refused(
      "PartitionedHead::backward: a feature of dhidden has 6 elements and one of dx 5, they must have "
      "equally many");
}

TEST_CASE("batches with memory in common are refused before anything is changed") {
  Problem problem(2);
  auto const bound = problem.head.on(problem.exec);
  std::vector<double> memory(Problem::samples * 24, 1.0);
  auto const untouched = memory;
  auto const batch = [&](std::size_t features) {
    return weir::batch_major(memory.data(), Problem::samples, features);
  };
  auto const values = weir::view(std::as_const(problem.values)),
             bias = weir::view(std::as_const(problem.bias));
  CHECK_THROWS_WITH_AS(
      bound.forward<double>(problem.pool, values, bias, problem.x.constant(), batch(15), batch(5)),
      doctest::Contains("y overlaps hidden"), weir::ContractViolation);
  Batch<double> dy = problem.coefficients;
  CHECK_THROWS_WITH_AS(
      bound.backward<double>(problem.pool, values, problem.x.constant(), problem.hidden.constant(),
                             problem.y.constant(), dy.view(), batch(15), batch(24),
                             weir::view(problem.gradient), weir::view(problem.bias_gradient),
                             weir::GradientMode::accumulate),
      doctest::Contains("dx overlaps dhidden"), weir::ContractViolation);
  CHECK(memory == untouched);
  CHECK(dy.elements == problem.coefficients.elements);
  for (double const value : problem.gradient) CHECK(value == 7.0);
}

}  // namespace
