#pragma once

// Included after the backend, by units that are compiled with different settings.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "verb_oracle.hpp"

namespace {

constexpr std::uint64_t verb_hash_of_1000 = 2459328775493391667u;
constexpr std::uint64_t verb_hash_of_700001 = 6201582699765790930u;

/// Of the results of all verbs that compute, one fed into the next.
template <class Executor>
std::uint64_t hash_of_verbs(Executor const& executor, std::size_t size) {
  using namespace weir;
  oracle::Numbers numbers(size);
  auto const a = numbers.vector<float>(size), b = numbers.vector<float>(size),
             c = numbers.vector<float>(size);
  auto const wide = numbers.vector<double>(size);
  std::vector<float> sum(size), weights = a, velocity(size), first(size), second(size);
  std::vector<double> wide_sum(size), wide_weights = wide, wide_first(size), wide_second(size);
  std::vector<half> halves(size);
  std::vector<bfloat16> brains(size);
  Measurement measurements[3];
  OptimizerState state{.learning_rate = 0.01, .next_learning_rate = 0.02};

  WeightedTerm<float, HostSpace> const terms[] = {{view(a), 0.3}, {view(b), 1.0}, {view(c), 1.0 / 7}};
  WeightedTerm<double, HostSpace> const wide_terms[] = {{view(wide), 0.3}, {view(wide), 1.0 / 7}};
  sum_weighted(executor, std::span<WeightedTerm<float, HostSpace> const>(terms), view(sum),
               {&measurements[0]});
  sum_weighted(executor, std::span<WeightedTerm<double, HostSpace> const>(wide_terms), view(wide_sum), {});
  for (int step = 0; step < 3; ++step) {
    apply_scalars(executor, AdvanceOptimizer{&state, 0.9, 0.99, nullptr});
    sgd_update(executor, view(weights), view(weights), view(sum), view(velocity),
               {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true}, &state, {.value = 1.0 / 3});
    adamw_update(executor, view(weights), view(weights), view(sum), view(first), view(second), {}, &state,
                 {});
    adamw_update(executor, view(wide_weights), view(wide_weights), view(wide_sum), view(wide_first),
                 view(wide_second), {}, &state, {});
  }
  copy(executor, view(weights), view(halves));
  copy(executor, view(wide_weights), view(brains));
  add_scaled(executor, view(halves), 0.1f, view(sum));
  add_scaled(executor, view(brains), 0.1f, view(sum));
  measure(executor, view(sum), &measurements[1]);
  measure(executor, view(wide_weights), &measurements[2]);
  executor.synchronize();

  std::uint64_t hash = oracle::hash(weights, oracle::hash(sum));
  hash = oracle::hash(first, oracle::hash(second, oracle::hash(velocity, hash)));
  hash = oracle::hash(wide_weights, oracle::hash(wide_sum, hash));
  hash = oracle::hash(halves, oracle::hash(brains, hash));
  for (Measurement const& measurement : measurements) {
    hash = oracle::hash(std::vector<double>{measurement.sum_of_squares}, hash);
  }
  return hash;
}

}  // namespace
