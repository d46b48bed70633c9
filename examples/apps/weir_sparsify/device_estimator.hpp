#pragma once

#include <string>
#include <type_traits>

#include "estimator.hpp"
#include "weir_train/errors.hpp"

namespace weir_sparsify {

/// The policies whose kernels are in `weir::cuda_kernels`, for accumulators in `Real`.
template <class Real>
struct DevicePolicies {
  /// Calls `f` with the policy. Errors: `UsageError` where there are no kernels for it.
  template <class Function>
  static void with(Estimator estimator, Function const& f) {
    switch (estimator) {
      case Estimator::histogram:
        return f(weir::Histogram{});
      case Estimator::exponential:
        return f(weir::Exponential{});
      case Estimator::generalized_pareto:
        return f(weir::GeneralizedPareto{});
      case Estimator::topk:
        return f(weir::ExactTopK{});
      default:
        break;
    }
    if constexpr (std::is_same_v<Real, float>) {
      switch (estimator) {
        case Estimator::gamma:
          return f(weir::Gamma{});
        case Estimator::gamma_approximate:
          return f(weir::GammaApproximate{});
        case Estimator::gamma_pareto:
          return f(weir::GammaPareto{});
        case Estimator::normal:
          return f(weir::Normal{});
        case Estimator::dgc:
          return f(weir::SampledTopK{});
        case Estimator::redsync:
          return f(weir::RedSync{});
        case Estimator::redsync_trim:
          return f(weir::RedSyncTrim{});
        case Estimator::gaussian_k:
          return f(weir::GaussianK{});
        case Estimator::random_k:
          return f(weir::RandomK{});
        case Estimator::histogram:
        case Estimator::exponential:
        case Estimator::generalized_pareto:
        case Estimator::topk:
          break;  // above; without a default the compiler names an estimator that is in neither
      }
    } else {
      throw weir_train::UsageError(std::string("--estimator ") +
                                   estimator_names[static_cast<std::size_t>(estimator)] +
                                   ": not available with --device cuda for float64; histogram, topk, "
                                   "exponential or generalized-pareto, "
                                   "or --device host, would be right");
    }
  }
};

}  // namespace weir_sparsify
