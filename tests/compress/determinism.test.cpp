// A hundred repeats of the same steps, on one to eight threads, leave the same bits behind.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fault/sanitizers.hpp"
#include "support/bits.hpp"
#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gamma_approximate.hpp"
#include "weir/compress/threshold/gamma_pareto.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/normal.hpp"
#include "weir/compress/threshold/random_k.hpp"
#include "weir/compress/threshold/red_sync.hpp"
#include "weir/compress/threshold/red_sync_trim.hpp"
#include "weir/compress/threshold/sampled_top_k.hpp"

namespace {

using Gradients = std::vector<std::vector<float>>;

struct Outcome {
  std::vector<std::uint32_t> indices;
  std::vector<float> values;
  std::vector<float> residual;
  double threshold;
};

template <class Policy>
Outcome run(weir::HostExecutor const& executor, Gradients const& gradients) {
  weir_test::SparseBucket<float> bucket(executor, gradients.front().size(),
                                        {.density = 0.01, .feedback = true});
  for (auto const& gradient : gradients) bucket.step(gradient, Policy{});
  return {bucket.indices(), bucket.values(), bucket.residual(), bucket.last().threshold};
}

template <class Policy>
void check(std::vector<weir::HostExecutor> const& executors, Gradients const& gradients) {
  CAPTURE(std::string(Policy::name));
  Outcome const first = run<Policy>(executors.front(), gradients);
  CHECK(!first.indices.empty());
  constexpr std::size_t repeats = UNDER_THREAD_SANITIZER || UNDER_ADDRESS_SANITIZER ? 8 : 100;
  std::size_t equal = 0;
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    Outcome const again = run<Policy>(executors[repeat % executors.size()], gradients);
    equal += again.indices == first.indices && same_bits(again.values, first.values) &&
             same_bits(again.residual, first.residual) && again.threshold == first.threshold;
  }
  CHECK(equal == repeats);
}

}  // namespace

TEST_CASE("repeats on one to eight threads select the same elements, and keep the same") {
  weir_test::Draws draws(12);
  // Larger than what one thread takes alone, and odd.
  Gradients const gradients = {draws.laplace(530003), draws.gamma(530003, 0.5)};
  std::vector<weir::HostExecutor> executors;
  for (std::size_t threads = 1; threads <= 8; ++threads)
    executors.push_back(weir::HostExecutor({.threads = threads}));
  check<weir::Histogram>(executors, gradients);
  check<weir::ExactTopK>(executors, gradients);
  check<weir::Exponential>(executors, gradients);
  check<weir::Gamma>(executors, gradients);
  check<weir::GammaApproximate>(executors, gradients);
  check<weir::GammaPareto>(executors, gradients);
  check<weir::GeneralizedPareto>(executors, gradients);
  check<weir::Normal>(executors, gradients);
  check<weir::SampledTopK>(executors, gradients);
  check<weir::RedSync>(executors, gradients);
  check<weir::RedSyncTrim>(executors, gradients);
  check<weir::GaussianK>(executors, gradients);
  check<weir::RandomK>(executors, gradients);
}
