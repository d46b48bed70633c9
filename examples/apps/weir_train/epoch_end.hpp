#pragma once

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>

#include "configuration.hpp"
#include "errors.hpp"

namespace weir_train {

/// Errors: `SharedRunError` if the training has left all bounds.
inline void check_finite(Configuration const& c, std::size_t epoch, double loss,
                         std::span<float const> weights) {
  if (std::isfinite(loss) &&
      std::all_of(weights.begin(), weights.end(), [](float w) { return std::isfinite(w); }))
    return;
  char text[160];
  std::snprintf(
      text, sizeof text,
      "epoch %zu: the loss or a weight is no finite number; a learning rate below %g would be right",
      epoch + 1, c.learning_rate);
  throw SharedRunError(text);
}

/// A line for those who watch.
inline void show_progress(Configuration const& c, std::size_t epoch, double loss) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "%s: epoch %zu of %zu, train loss %.5f\n", title(c).c_str(), epoch + 1, c.epochs,
               loss);
}

}  // namespace weir_train
