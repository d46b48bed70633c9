#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "support/bits.hpp"
#include "support/ranks.hpp"
#include "weir/comm/sparse_sum.hpp"
#include "weir/host/executor.hpp"

/// What a rank holds before a sum: its selected pairs and the rest.
template <class Real>
struct Selected {
  std::vector<std::uint32_t> indices;
  std::vector<Real> values;
  std::vector<Real> residual;  // +0 at the selected slots
  std::optional<weir::SparsifyStatus> status = {};

  /// The accumulator: residual and pairs.
  std::vector<Real> whole() const {
    auto all = residual;
    for (std::size_t j = 0; j < indices.size(); ++j) all[indices[j]] += values[j];
    return all;
  }
  std::vector<Real> selected_only() const {
    std::vector<Real> all(residual.size());
    for (std::size_t j = 0; j < indices.size(); ++j) all[indices[j]] = values[j];
    return all;
  }
};

/// Every rank selects about `density` of the slots, each rank another number, mostly the same popular ones.
template <class Real>
std::vector<Selected<Real>> selections(std::size_t ranks, std::size_t elements, double density,
                                       std::uint32_t seed, bool integers = false) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  std::normal_distribution<double> normal;
  std::vector<double> popularity(elements);
  for (double& p : popularity) p = uniform(random) < 0.5 ? 0.2 : 1.8;
  std::vector<Selected<Real>> all(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    double const own_density =
        density * (0.25 + 1.5 * static_cast<double>(rank) / static_cast<double>(ranks));
    all[rank].residual.resize(elements);
    for (std::size_t i = 0; i < elements; ++i) {
      double value = normal(random);
      if (integers) value = std::round(8.0 * value);
      if (uniform(random) < own_density * popularity[i] && value != 0.0) {
        all[rank].indices.push_back(static_cast<std::uint32_t>(i));
        all[rank].values.push_back(static_cast<Real>(value));
      } else {
        all[rank].residual[i] = static_cast<Real>(integers ? value : 0.01 * value);
      }
    }
  }
  return all;
}

/// What a rank has after it.
template <class Real>
struct Outcome {
  std::vector<Real> sum;
  std::vector<Real> residual;
};

struct SumOptions {
  bool has_residual = true;
  bool shares_indices = false;
  std::size_t capacity = 0;  // 0: as many as are selected
  std::uint64_t step = 0;
  std::size_t repetitions = 1;
};

/// Sums on a communicator of this rank.
template <class Real, class Communicator, class Policy>
Outcome<Real> sum_on(Communicator const& communicator, Selected<Real> const& mine, Policy const& policy,
                     SumOptions const& options = {}) {
  weir::HostExecutor const executor;
  std::size_t const elements = mine.residual.size();
  std::size_t const capacity = options.capacity == 0 ? mine.indices.size() : options.capacity;
  auto indices = mine.indices;
  auto values = mine.values;
  indices.resize(capacity);
  values.resize(capacity, std::numeric_limits<Real>::quiet_NaN());
  std::uint64_t const counts[2] = {mine.indices.size(), mine.indices.size()};
  std::uint32_t const side = 1;
  Outcome<Real> outcome;
  auto bound = policy.on(weir::SparseContext<Real, weir::HostExecutor, Communicator>{executor, communicator,
                                                                                     elements, capacity});
  executor.submit([&](weir::HostExecutor const& point) {
    for (std::size_t turn = 0; turn < options.repetitions; ++turn) {
      outcome.sum = options.has_residual ? std::vector<Real>(elements, Real{77}) : mine.whole();
      outcome.residual = mine.residual;
      weir::SparseSum<Real, weir::HostSpace> sum{
          {indices.data(), capacity}, {values.data(), capacity}, counts};
      if (mine.status) sum.status = &*mine.status;
      sum.shares_indices = options.shares_indices;
      sum.out = weir::view(outcome.sum);
      sum.step = options.step;
      if (options.has_residual) sum.residual = {nullptr, outcome.residual.data(), elements, &side};
      bound(point, sum);
    }
  });
  executor.synchronize();
  return outcome;
}

template <class Real, class Policy>
std::vector<Outcome<Real>> sum_on_threads(std::vector<Selected<Real>> const& of_rank, Policy const& policy,
                                          SumOptions const& options = {}) {
  std::vector<Outcome<Real>> outcomes(of_rank.size());
  on_ranks(of_rank.size(), [&](weir::ThreadCommunicator const& communicator) {
    outcomes[communicator.rank()] = sum_on(communicator, of_rank[communicator.rank()], policy, options);
  });
  return outcomes;
}

/// ((v_0 + v_1) + v_2) + ..
template <class Real>
std::vector<Real> dense_sum(std::vector<std::vector<Real>> const& of_rank) {
  std::vector<Real> sum = of_rank.at(0);
  for (std::size_t rank = 1; rank < of_rank.size(); ++rank) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += of_rank[rank][i];
  }
  return sum;
}

template <class Real>
std::vector<Real> sum_of_selected(std::vector<Selected<Real>> const& of_rank) {
  std::vector<std::vector<Real>> dense;
  for (auto const& rank : of_rank) dense.push_back(rank.selected_only());
  return dense_sum(dense);
}

/// For policies that send everything: the sum on all ranks, and the residuals as they were.
template <class Real, class Policy>
void check_exact_sum(Policy const& policy, bool in_rank_order, std::size_t elements = 1003) {
  for (std::size_t ranks = 1; ranks <= 8; ++ranks) {
    for (double const density : {0.002, 0.05, 0.6}) {
      CAPTURE(ranks);
      CAPTURE(density);
      auto const of_rank = selections<Real>(ranks, elements, density, static_cast<std::uint32_t>(ranks));
      auto const expected = sum_of_selected(of_rank);
      auto const outcomes = sum_on_threads(of_rank, policy, {.repetitions = 2});
      for (std::size_t rank = 0; rank < ranks; ++rank) {
        CHECK(same_bits(outcomes[rank].sum, outcomes[0].sum));
        CHECK(same_bits(outcomes[rank].residual, of_rank[rank].residual));
      }
      if (in_rank_order) {
        CHECK(same_bits(outcomes[0].sum, expected));
      } else {
        bool is_close = true;
        for (std::size_t i = 0; i < elements; ++i)
          is_close =
              is_close && std::abs(outcomes[0].sum[i] - expected[i]) <= 1e-6 * (1 + std::abs(expected[i]));
        CHECK(is_close);
      }
    }
  }
}

/// For policies that reject: on integers the sum and the residuals are together all that there was, to the
/// last bit, and so is what each rank gave and kept, for any numbers.
template <class Real>
void check_conserved(std::vector<Selected<Real>> const& before, std::vector<Outcome<Real>> const& after) {
  std::vector<std::vector<Real>> whole_before;
  std::vector<std::vector<Real>> whole_after;
  for (auto const& rank : before) whole_before.push_back(rank.whole());
  whole_after.push_back(after[0].sum);
  for (auto const& rank : after) {
    whole_after.push_back(rank.residual);
    CHECK(same_bits(rank.sum, after[0].sum));
  }
  CHECK(dense_sum(whole_before) == dense_sum(whole_after));
}

/// A slot of a rank is either as it was, or back in the residual as the accumulator had it, and the sum is
/// that of the slots which did not come back.
template <class Real>
void check_given_back_bitwise(std::vector<Selected<Real>> const& before,
                              std::vector<Outcome<Real>> const& after, double tolerance) {
  std::size_t const elements = after[0].sum.size();
  bool is_right = true;
  std::vector<std::vector<Real>> sent;
  for (std::size_t rank = 0; rank < before.size(); ++rank) {
    auto const whole = before[rank].whole();
    sent.emplace_back(elements);
    for (std::size_t i = 0; i < elements; ++i) {
      Real const kept = after[rank].residual[i];
      bool const came_back = kept == whole[i];
      is_right = is_right && (came_back || kept == before[rank].residual[i]);
      if (!came_back) sent[rank][i] = whole[i] - kept;
    }
  }
  auto const expected = dense_sum(sent);
  for (std::size_t i = 0; i < elements; ++i)
    is_right = is_right && std::abs(after[0].sum[i] - expected[i]) <= tolerance;
  CHECK(is_right);
}

/// Of three ranks one is skipped, with pairs of zeros as `RandomK` has them, and one takes part but has
/// selected nothing; and their sum when all is sent. Without a residual the skipped one has a NaN, too.
struct RanksWithStatus {
  std::vector<Selected<float>> of_rank;
  std::vector<float> sum;
};
inline RanksWithStatus ranks_with_status(bool has_residual) {
  auto of_rank = selections<float>(3, 300, 0.1, 2);
  for (auto& rank : of_rank) rank.status = weir::SparsifyStatus::selected;
  of_rank[1].status = weir::SparsifyStatus::skipped;
  for (float& value : of_rank[1].values) value = 0;
  for (std::uint32_t const i : of_rank[1].indices) of_rank[1].residual[i] = 0.25F;
  if (!has_residual) of_rank[1].residual[7] = std::numeric_limits<float>::quiet_NaN();
  of_rank[2].indices.clear();
  of_rank[2].values.clear();
  auto const sum = dense_sum<float>({of_rank[0].whole(), std::vector<float>(300), of_rank[2].whole()});
  return {of_rank, sum};
}
inline void check_residuals_of_status(std::vector<Selected<float>> const& before,
                                      std::vector<Outcome<float>> const& after) {
  for (std::size_t const rank : {std::size_t{0}, std::size_t{2}})
    CHECK(same_bits(after[rank].residual, std::vector<float>(300)));
  CHECK(same_bits(after[1].residual, before[1].residual));
}
