#pragma once

#include <array>
#include <cstdint>

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

namespace weir_sparsify {

/// The threshold policies of the library, as they are chosen at run time.
enum class Estimator {
  histogram,
  exponential,
  gamma,
  gamma_approximate,
  generalized_pareto,
  gamma_pareto,
  normal,
  topk,
  dgc,
  redsync,
  redsync_trim,
  gaussian_k,
  random_k,
};

/// In the order of the enumeration.
inline constexpr std::array<char const*, 13> estimator_names = {
    "histogram", "exponential", "gamma", "gamma-approximate", "generalized-pareto", "gamma-pareto",
    "normal",    "topk",        "dgc",   "redsync",           "redsync-trim",       "gaussian-k",
    "random-k"};

/// Of the fitted estimators these two cannot be refined in stages.
inline bool has_one_stage(Estimator estimator) {
  return estimator == Estimator::gamma || estimator == Estimator::gamma_approximate;
}

// Policies that work the same way are one type, so that the passes over the data are compiled once for them.

/// Fitted to mean and variance.
struct FittedByMoments {
  static constexpr char const* name = "fitted by moments";
  static constexpr bool uses_logarithms = false;
  Estimator estimator;

  double fit(weir::TailStatistics const& tail, double ratio) const {
    switch (estimator) {
      case Estimator::exponential:
        return weir::Exponential{}.fit(tail, ratio);
      case Estimator::normal:
        return weir::Normal{}.fit(tail, ratio);
      default:
        return weir::GeneralizedPareto{}.fit(tail, ratio);
    }
  }
  double fit_excess(weir::TailStatistics const& excess, double ratio) const {
    if (estimator == Estimator::exponential) return weir::Exponential{}.fit_excess(excess, ratio);
    return weir::GeneralizedPareto{}.fit_excess(excess, ratio);
  }
};

/// Fitted to the mean of logarithms as well.
struct FittedByLogarithms {
  static constexpr char const* name = "fitted by logarithms";
  Estimator estimator;

  double fit(weir::TailStatistics const& tail, double ratio) const {
    if (estimator == Estimator::gamma_approximate) return weir::GammaApproximate{}.fit(tail, ratio);
    return weir::Gamma{}.fit(tail, ratio);
  }
  double fit_excess(weir::TailStatistics const& excess, double ratio) const {
    return weir::GammaPareto{}.fit_excess(excess, ratio);
  }
};

/// Tries thresholds.
struct Tried {
  static constexpr char const* name = "tried";
  Estimator estimator;

  weir::TrialVerdict start(weir::TrialData const& data, weir::Trial& trial) const {
    return with([&](auto const& policy) { return policy.start(data, trial); });
  }
  weir::TrialVerdict judge(weir::TrialData const& data, weir::Trial& trial, std::uint64_t count) const {
    return with([&](auto const& policy) { return policy.judge(data, trial, count); });
  }

 private:
  template <class Function>
  weir::TrialVerdict with(Function const& f) const {
    if (estimator == Estimator::redsync) return f(weir::RedSync{});
    if (estimator == Estimator::redsync_trim) return f(weir::RedSyncTrim{});
    return f(weir::GaussianK{});
  }
};

/// Calls `f` with the policy.
template <class Function>
void with_policy(Estimator estimator, Function const& f) {
  switch (estimator) {
    case Estimator::histogram:
      return f(weir::Histogram{});
    case Estimator::topk:
      return f(weir::ExactTopK{});
    case Estimator::dgc:
      return f(weir::SampledTopK{});
    case Estimator::random_k:
      return f(weir::RandomK{});
    case Estimator::exponential:
    case Estimator::generalized_pareto:
    case Estimator::normal:
      return f(FittedByMoments{estimator});
    case Estimator::gamma:
    case Estimator::gamma_approximate:
    case Estimator::gamma_pareto:
      return f(FittedByLogarithms{estimator});
    case Estimator::redsync:
    case Estimator::redsync_trim:
    case Estimator::gaussian_k:
      return f(Tried{estimator});
  }
}

}  // namespace weir_sparsify
