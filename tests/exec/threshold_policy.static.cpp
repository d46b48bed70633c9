#include "weir/exec/threshold_policy.hpp"

#include <vector>

namespace {

struct Named {
  static constexpr char const* name = "named";
};
struct Fitted : Named {
  double fit(weir::TailStatistics const&, double) const;
};
struct Staged : Fitted {
  static constexpr bool uses_logarithms = false;
  double fit_excess(weir::TailStatistics const&, double) const;
};
struct Ranked : Named {
  static constexpr bool is_exact = true;
  std::uint64_t tolerance(std::uint64_t) const;
};
struct Tried : Named {
  weir::TrialVerdict start(weir::TrialData const&, weir::Trial&) const;
  weir::TrialVerdict judge(weir::TrialData const&, weir::Trial&, std::uint64_t) const;
};
struct Sampled : Tried {
  weir::SampleRequest sample(weir::TrialData const&) const;
};
struct Random : Named {
  double factor(std::uint64_t, std::uint64_t) const;
};
struct Nameless {
  double fit(weir::TailStatistics const&, double) const;
};
struct OwnsMemory : Fitted {
  std::vector<double> memory;
};
struct FitsToFloat : Named {
  float fit(weir::TailStatistics const&, double) const;
};

}  // namespace

static_assert(weir::FittedThreshold<Fitted> && !weir::StagedThreshold<Fitted> &&
              weir::StagedThreshold<Staged>);
static_assert(weir::RankedThreshold<Ranked> && !weir::FittedThreshold<Ranked>);
static_assert(weir::TriedThreshold<Tried> && !weir::SampledThreshold<Tried> &&
              weir::SampledThreshold<Sampled>);
static_assert(weir::RandomSlots<Random>);
static_assert(weir::ThresholdPolicy<Fitted> && weir::ThresholdPolicy<Ranked> &&
              weir::ThresholdPolicy<Tried> && weir::ThresholdPolicy<Random>);
static_assert(!weir::ThresholdPolicy<Named> && !weir::ThresholdPolicy<Nameless> &&
              !weir::ThresholdPolicy<OwnsMemory> && !weir::ThresholdPolicy<FitsToFloat>);

// A policy that does not say that it needs no logarithms gets them.
static_assert(weir::needs_logarithms<Fitted> && !weir::needs_logarithms<Staged> &&
              !weir::needs_logarithms<Ranked>);
static_assert(weir::needs_moments<Fitted> && weir::needs_moments<Tried> && !weir::needs_moments<Ranked>);
