#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/compress/density_warmup.hpp"
#include "weir/core/error.hpp"
#include "weir/core/number_text.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/tensor/element_type.hpp"

namespace weir::inline v1 {

struct ThresholdSparsifierOptions {
  double density = 0.01;               // the part of a bucket's slots that is sent, above 0 and at most 1
  std::vector<double> densities = {};  // by bucket, where they differ
  DensityWarmup warmup = {};
  ReuseConstants reuse = {};                     // of thresholds: `ThresholdReuse{}`; none by default
  double capacity = 2.0;                         // room for what is selected, as a multiple of what is wanted
  std::size_t dense_below = 0;                   // buckets of fewer elements are sent whole
  ElementType precision = ElementType::float32;  // float16 or bfloat16: what is sent is rounded to it
  std::uint64_t seed = 0;                        // of policies that draw slots by chance

  /// Of a bucket, after the warm-up.
  double density_of(std::size_t bucket) const { return densities.empty() ? density : densities[bucket]; }

  /// What a checkpoint tells of them: the density, and what is not as it is by default. The seed it has by
  /// itself.
  std::string text() const {
    ThresholdSparsifierOptions const usual;
    std::string text = densities.empty() ? "density " + detail::number_text(density) : "densities";
    for (double of_bucket : densities) text += " " + detail::number_text(of_bucket);
    if (std::string const warm = warmup.text(); !warm.empty()) text += ", " + warm;
    if (reuse.interval != 0)
      text += ", reuse interval " + std::to_string(reuse.interval) + " and gain " +
              detail::number_text(reuse.gain);
    if (capacity != usual.capacity) text += ", capacity " + detail::number_text(capacity);
    if (dense_below != 0) text += ", dense below " + std::to_string(dense_below);
    if (size_of(precision) == 2) text += std::string(", precision ") + name_of(precision);
    return text;
  }

  /// Errors: `ContractViolation` that names the value.
  void check() const {
    check_density("density", density);
    for (double of_bucket : densities) check_density("a density of a bucket", of_bucket);
    warmup.check();
    if (!(capacity >= 1.0)) refuse("capacity is " + std::to_string(capacity) + ", it has to be at least 1");
    if (precision == ElementType::float64)
      refuse("precision is float64, nothing is sent in more bits than it has");
  }

 private:
  static void check_density(char const* name, double density) {
    if (!(density > 0.0 && density <= 1.0))
      refuse(std::string(name) + " is " + std::to_string(density) + ", it has to be above 0 and at most 1");
  }

  [[noreturn]] static void refuse(std::string const& why) {
    throw ContractViolation("ThresholdSparsifier: " + why);
  }
};

}  // namespace weir::inline v1
