#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

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
#include "weir/compress/threshold/red_sync.hpp"
#include "weir/compress/threshold/red_sync_trim.hpp"

namespace {

using weir_test::SparseBucket;

/// Threshold at density 0.01, and slots selected at 0.1, 0.01 and 0.001.
struct Cell {
  double threshold;
  std::uint64_t selected[3];
};

std::vector<float> grid(std::size_t which) {
  std::vector<float> values(10000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double const u = (static_cast<double>(i) + 0.5) / 10000.0;
    double const x[] = {-std::log(u), (std::pow(u, -0.3) - 1.0) / 0.3, std::pow(-std::log(u), 3.0), u};
    values[i] = static_cast<float>(i % 2 == 0 ? x[which] : -x[which]);
  }
  return values;
}

template <class Policy>
void check(Policy const& policy, std::uint32_t stages, Cell const (&row)[4]) {
  weir::HostExecutor const executor;
  double const densities[] = {0.1, 0.01, 0.001};
  for (std::size_t which = 0; which < 4; ++which) {
    std::vector<float> const values = grid(which);
    for (int i = 0; i < 3; ++i) {
      CAPTURE(std::string(Policy::name));
      CAPTURE(stages);
      CAPTURE(which);
      CAPTURE(densities[i]);
      weir_test::SparseBucketOptions options{.density = densities[i]};
      options.constants.stages.stages = stages;
      SparseBucket<float> bucket(executor, values.size(), options);
      bucket.step(values, policy);
      CHECK(bucket.last().k_selected == row[which].selected[i]);
      if (i == 1) {
        CHECK(std::fabs(bucket.last().threshold / row[which].threshold - 1.0) < (stages > 1 ? 1e-4 : 1e-5));
      }
    }
  }
}

}  // namespace

TEST_CASE("the golden grids of one distribution each: exponential") {
  check(weir::Exponential{}, 1,
        {{4.60501, {1000, 100, 10}},
         {6.57373, {1016, 265, 102}},
         {27.5685, {909, 488, 315}},
         {0.99995, {1, 1, 1}}});
  check(weir::Exponential{}, 2,
        {{4.60483, {1000, 100, 10}},
         {9.29091, {703, 118, 37}},
         {106.000, {367, 88, 37}},
         {0.99995, {1663, 1, 1}}});
  check(weir::Exponential{}, 3,
        {{4.60417, {1000, 100, 10}},
         {11.7757, {642, 65, 12}},
         {174.833, {298, 37, 9}},
         {0.988259, {1824, 117, 1}}});
}

TEST_CASE("the golden grids: generalized Pareto") {
  check(weir::GeneralizedPareto{}, 1,
        {{4.60336, {1000, 100, 10}},
         {9.78055, {999, 104, 11}},
         {52.1728, {943, 238, 40}},
         {0.990067, {1000, 99, 9}}});
  check(weir::GeneralizedPareto{}, 2,
        {{4.60292, {1000, 100, 10}},
         {9.88146, {980, 101, 11}},
         {112.081, {548, 81, 10}},
         {0.990058, {1000, 99, 9}}});
  check(weir::GeneralizedPareto{}, 3,
        {{4.60514, {1000, 100, 10}},
         {10.0754, {974, 97, 10}},
         {136.039, {499, 58, 8}},
         {0.990010, {1000, 100, 9}}});
}

TEST_CASE("the golden grids: gamma, its approximation, gamma and Pareto, normal") {
  check(
      weir::Gamma{}, 1,
      {{4.62592, {995, 98, 10}}, {7.56638, {908, 193, 66}}, {64.9306, {724, 180, 72}}, {0.99995, {1, 1, 1}}});
  check(weir::GammaApproximate{}, 1,
        {{4.64134, {985, 96, 9}},
         {8.28362, {735, 156, 54}},
         {90.5680, {570, 112, 45}},
         {0.99995, {3271, 1, 1}}});
  check(weir::GammaPareto{}, 2,
        {{4.60293, {1000, 100, 10}},
         {10.4966, {840, 87, 10}},
         {106.670, {585, 87, 11}},
         {0.987245, {1287, 128, 11}}});
  check(weir::Normal{}, 1,
        {{3.64205, {977, 262, 95}},
         {6.75101, {629, 250, 142}},
         {67.0342, {303, 172, 122}},
         {0.99995, {503, 1, 1}}});
}

TEST_CASE("the golden grids: baselines that try thresholds") {
  check(weir::GaussianK{}, 1,
        {{2.68125, {711, 685, 1}},
         {10.6344, {798, 84, 16}},
         {106.839, {1019, 87, 29}},
         {0.932711, {2689, 673, 1}}});
  check(weir::RedSync{}, 1,
        {{4.33879, {1209, 131, 2}},
         {8.96250, {129, 129, 9}},
         {126.654, {66, 66, 19}},
         {0.937456, {1250, 625, 625}}});
  check(weir::RedSyncTrim{}, 1,
        {{4.56137, {3679, 104, 18}},
         {1.42747, {3048, 3048, 45}},
         {5.98643, {1627, 1627, 29}},
         {0.89996, {1000, 1000, 1000}}});
}

TEST_CASE("the golden grids: histogram and exact top-k") {
  check(weir::Histogram{}, 1,
        {{4.60937452, {998, 100, 10}},
         {9.93749905, {999, 100, 10}},
         {97.7499904, {999, 100, 10}},
         {0.990043581, {996, 100, 10}}});
  check(weir::ExactTopK{}, 1,
        {{4.61018, {1000, 100, 10}},
         {9.95688, {1000, 100, 10}},
         {97.9838, {1000, 100, 10}},
         {0.99005, {1000, 100, 10}}});
}
