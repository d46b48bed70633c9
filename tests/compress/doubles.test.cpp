#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exact_top_k.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/gaussian_k.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold/normal.hpp"
#include "weir/compress/threshold/red_sync.hpp"

namespace {

using weir_test::Draws;
using weir_test::SparseBucket;

struct AnyPolicy {
  char const* name;
  void (*step)(SparseBucket<double>& bucket, std::vector<double> const& values);
};

template <class... Policy>
std::vector<AnyPolicy> list_of() {
  return {{Policy::name, [](auto& bucket, auto const& values) { bucket.step(values, Policy{}); }}...};
}

std::vector<AnyPolicy> policies() {
  return list_of<weir::Histogram, weir::ExactTopK, weir::Exponential, weir::GeneralizedPareto, weir::Gamma,
                 weir::Normal, weir::RedSync, weir::GaussianK>();
}

}  // namespace

TEST_CASE("exact top-k of doubles is that of the same floats, and tells more of them apart") {
  weir::HostExecutor const executor;
  for (auto const& floats : {Draws(71).laplace(3000), Draws(72).quantised(3000, 9)}) {
    SparseBucket<float> single(executor, floats.size(), {.density = 0.02});
    single.step(floats, weir::ExactTopK{});
    SparseBucket<double> twice(executor, floats.size(), {.density = 0.02});
    twice.step({floats.begin(), floats.end()}, weir::ExactTopK{});
    CHECK(twice.indices() == single.indices());
    CHECK(twice.last().threshold == single.last().threshold);
  }
  std::vector<double> close(1000, 1.0);
  close[999] = 1.0 + 0x1p-52;
  SparseBucket<double> bucket(executor, close.size(), {.density = 0.001});
  bucket.step(close, weir::ExactTopK{});
  CHECK(bucket.indices() == std::vector<std::uint32_t>{999});
}

TEST_CASE("the smallest and largest numbers of a double are no obstacle") {
  weir::HostExecutor const executor;
  Draws draws(10);
  std::vector<float> const base = draws.laplace(5000);
  std::vector<double> const plain(base.begin(), base.end());
  for (auto const& policy : policies()) {
    CAPTURE(std::string(policy.name));
    SparseBucket<double> bucket(executor, plain.size(), {.density = 0.01});
    policy.step(bucket, plain);
    for (double const scale : {0x1p-600, 0x1p600, 0x1p-1040}) {
      CAPTURE(scale);
      std::vector<double> scaled = plain;
      for (double& value : scaled) value *= scale;
      SparseBucket<double> other(executor, plain.size(), {.density = 0.01});
      policy.step(other, scaled);
      if (scale > 0x1p-1000) CHECK(other.indices() == bucket.indices());
      CHECK(other.last().k_selected > 0);
    }
  }
}
