#pragma once

#include <cstddef>
#include <optional>

namespace weir::inline v1 {

/// The squared norms of one step's gradients. Worker w of all K workers of all ranks has the mean gradient
/// G_w over B_w samples.
struct NoiseMeasurement {
  std::size_t workers = 0;        // K
  std::size_t global_batch = 0;   // the sum of the B_w
  double mean_square = 0;         // a, the mean of |G_w|^2
  double mean_inverse_batch = 0;  // c, the mean of 1 / B_w
  double square_of_mean = 0;      // |G|^2, of the gradient over the whole batch

  /// S, the variance of the gradient of a single sample; needs two workers.
  double variance() const {
    return (mean_square - square_of_mean) / (mean_inverse_batch - 1 / static_cast<double>(global_batch));
  }
  /// R, the squared norm of the true gradient.
  double signal() const { return square_of_mean - variance() / static_cast<double>(global_batch); }
};

/// The gradient noise scale: the batch at which noise and signal of a step's gradient are equal, below which
/// a larger batch saves steps. Both are smoothed, since one step says little. Workers may have batches of
/// different sizes. Source: [mccandlish2018], generalised to unequal workers.
class NoiseScale {
 public:
  explicit NoiseScale(double decay = 0.9) : decay_(decay) {}

  /// A step with fewer than two workers says nothing, nor does one whose gradient is not finite.
  void add(NoiseMeasurement const& step) {
    if (step.workers < 2 || !__builtin_isfinite(step.variance())) return;
    variance_ = decay_ * variance_ + (1 - decay_) * step.variance();
    signal_ = decay_ * signal_ + (1 - decay_) * step.signal();
  }

  /// Nothing until the signal has come out of the noise. Units: samples.
  std::optional<double> value() const {
    if (!(signal_ > 0)) return {};
    return variance_ / signal_;
  }

  template <class Archive>
  void save(Archive& archive) const {
    archive.put("noise variance", 0, variance_);
    archive.put("noise signal", 0, signal_);
  }
  template <class Archive>
  void load(Archive const& archive) {
    variance_ = archive.template get_value<double>("noise variance", 0);
    signal_ = archive.template get_value<double>("noise signal", 0);
  }

 private:
  double decay_;
  double variance_ = 0;  // both short of the same factor, which their ratio does not have
  double signal_ = 0;
};

}  // namespace weir::inline v1
