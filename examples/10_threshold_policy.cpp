// A threshold policy of one's own: a struct with a name and a function that computes, from what one pass over
// a gradient tells, the magnitude that a given part of its elements exceeds.
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/weir.hpp"

// Magnitudes with a longer tail than an exponential one: x exceeds t with probability exp(-sqrt(t / scale)),
// and the mean is twice the scale.
struct StretchedExponential {
  static constexpr char const* name = "stretched exponential";

  // `tail` is that of all magnitudes but 0. Kernels call it too, where there is a GPU.
  WEIR_HOST_DEVICE double fit(weir::TailStatistics const& tail, double ratio) const {
    double const scale = 0.5 * tail.mean();
    return scale * weir::ln(ratio) * weir::ln(ratio);
  }
};

static_assert(weir::FittedThreshold<StretchedExponential>);

constexpr std::size_t elements = 100'000;

// Gradients that are distributed so, new ones in each step.
struct Model {
  void operator()(auto& micro) const {
    auto const gradient = micro.gradient(0);
    weir::RandomStream const random = micro.random(0);
    for (std::size_t i = 0; i < elements; ++i) {
      float const exponential = -std::log(1.0f - random.uniform(2 * i));
      gradient[i] = (random.uniform(2 * i + 1) < 0.5f ? -1.0f : 1.0f) * exponential * exponential;
    }
  }
};

// How many times as many elements are selected as are wanted.
template <class Threshold>
double quality(Threshold const& threshold) {
  std::vector<float> weights(elements);
  Model const model;
  weir::HostExecutor exec;
  weir::StreamWorkerPool workers{exec, {.buckets = weir::BucketPlan::by_bytes({elements * sizeof(float)})}};
  weir::ThresholdSparsifier const sparsifier{{.density = 0.01, .capacity = 10.0}, threshold};
  auto sync = (weir::LocalAggregator{} | sparsifier | weir::Sgd{{.learning_rate = 0.1}})
                  .on(workers, weir::view(weights));
  int const samples[1] = {};
  sync(workers(std::span<int const>(samples), model));
  sync.wait();
  auto const& bound = sync.template stage<weir::ThresholdSparsifier<Threshold>>();
  weir::SparsifyStatistics const found = bound.statistics(0);
  std::printf("%-22s threshold %6.2f, %5zu of %5zu elements\n", Threshold::name, found.threshold,
              static_cast<std::size_t>(found.k_selected), static_cast<std::size_t>(found.k_target));
  return found.quality;
}

int main() {
  double const exponential = quality(weir::Exponential{});
  double const own = quality(StretchedExponential{});
  return std::abs(own - 1.0) < 0.1 && exponential > 2.0 ? 0 : 1;
}
