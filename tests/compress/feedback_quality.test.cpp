// What an error feedback does to the selection over many steps: the residual piles up just below the
// threshold, so the tail that a policy fits is not that of the gradients.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/fixed_stages.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold_reuse.hpp"
#include "weir/core/random.hpp"
#include "weir/host/executor.hpp"

namespace {

constexpr std::size_t size = std::size_t{1} << 17;
constexpr std::size_t steps = 400;
constexpr double density = 0.01;

/// Laplace distributed numbers. A step's gradient is `size` of them from a place of its own on.
std::vector<float> const& pool() {
  static std::vector<float> const numbers = [] {
    std::vector<float> all(4 * size);
    weir::RandomStream const random{.seed = 11};
    for (std::size_t i = 0; i < all.size(); ++i) {
      float const u = 2.0f * random.uniform(i) - 1.0f + 0x1p-25f;
      all[i] = (u < 0 ? 1.0f : -1.0f) * std::log(std::abs(u));
    }
    return all;
  }();
  return numbers;
}

struct Found {
  std::size_t good = 0;  // steps after the first hundred whose quality is within [0.8, 1.25]
  double least = 1.0;    // quality after the first hundred steps
  double most = 1.0;
  std::size_t reused = 0;  // steps that took an earlier threshold
  bool collapsed = false;
};

template <class Policy>
Found run(Policy const& policy, weir::StageConstants const& stages, weir::ReuseConstants const& reuse = {}) {
  using Space = weir::HostSpace;
  weir::HostExecutor const executor(weir::HostOptions{.threads = 2});
  std::vector<float> residual(2 * size), values(2 * size);
  std::vector<std::uint32_t> indices(2 * size);
  std::vector<std::byte> scratch(weir::sparsify_scratch_bytes<float>(executor, size, density));
  weir::SelectionCounts counts;
  weir::ThresholdState state;
  weir::InitialiseThreshold{&state, density}();
  weir::WeightedTerm<float, Space> term;
  weir::SparsifyWork<float, float, Space> work{
      .terms = {&term, 1},
      .residual = {residual.data(), residual.data() + size, size, &state.side},
      .constants = {.stages = stages, .reuse = reuse},
      .state = &state,
      .out = {&counts, weir::view(indices), weir::view(values)},
      .scratch = weir::view(scratch)};
  Found found;
  for (std::size_t step = 0; step < steps; ++step) {
    std::size_t const place = weir::RandomStream{.seed = 12}.word(step) % (3 * size);
    term.values = {pool().data() + place, size};
    sparsify(executor, work, policy);
    executor.synchronize();
    double const quality = state.last.quality;
    if (step >= 100) {
      found.good += 0.8 <= quality && quality <= 1.25 ? 1 : 0;
      found.least = std::min(found.least, quality);
      found.most = std::max(found.most, quality);
    }
    found.reused += state.last.was_reused != 0 ? 1 : 0;
    found.collapsed = found.collapsed || state.collapsed != 0;
  }
  return found;
}

constexpr std::size_t enough = (steps - 100) * 95 / 100;

}

TEST_CASE("under feedback as many are selected as are wanted: by the histogram") {
  CHECK(run(weir::Histogram{}, weir::FixedStages<1>{}.constants()).good == steps - 100);
}

TEST_CASE("under feedback as many are selected as are wanted: by adaptive stages") {
  using weir::StageRule;
  weir::GeneralizedPareto const pareto;
  CHECK(run(pareto, weir::AdaptiveStages<StageRule::turning>{}.constants()).good >= enough);
  CHECK(run(pareto, weir::AdaptiveStages<StageRule::memory>{}.constants()).good >= enough);
  CHECK(run(weir::Exponential{}, weir::AdaptiveStages<StageRule::greedy>{}.constants()).good >= enough);
}

TEST_CASE("a fit in one stage collapses under feedback, and says so") {
  Found const found = run(weir::Exponential{}, weir::FixedStages<1>{}.constants());
  CHECK(found.collapsed);
  CHECK(found.good < enough);
}

TEST_CASE("a threshold that is kept for many steps follows what is wanted, with a small gain") {
  Found const found = run(weir::Histogram{}, weir::FixedStages<1>{}.constants(), weir::ThresholdReuse{});
  CHECK(found.least > 0.8);
  CHECK(found.most < 1.45);
  CHECK(found.reused > steps * 9 / 10);
}
