#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/normal_quantile.hpp"
#include "weir/core/random.hpp"
#include "weir/mask/design.hpp"

namespace weir::inline v1 {

/// Whose live weights are counted.
enum class Fan : std::uint8_t {
  in,  // of an output: keeps the variance of what flows forward
  out  // of an input: of gradients
};

struct InitialiseOptions {
  double gain = 1.4142135623730951;  // sqrt 2, for relu
  Fan fan = Fan::in;
  std::uint64_t seed = 0;
};

/// Draws the live values from a normal distribution of standard deviation gain / sqrt(live fan), row by row
/// where degrees differ. Padding becomes zero. The number of an entry depends on the seed, the entry and the
/// tap, not on where it lies.
///
/// Shapes: values are taps times `value_count()`, tap by tap. Errors: `ContractViolation` for another number.
/// Source: [he2015], with the fan that is there.
template <Design D, class Real>
void initialise(D const& design, std::span<Real> values, InitialiseOptions options = {},
                std::uint32_t taps = 1) {
  std::size_t const count = design.value_count();
  if (values.size() != count * taps) {
    throw ContractViolation("initialise: " + std::to_string(values.size()) + " values, " +
                            std::to_string(count * taps) + " would be right");
  }
  for (Real& value : values) value = Real(0.0f);
  for (std::size_t row = 0; row < design.outputs(); ++row) {
    std::size_t const degree = design.row_degree(row);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      std::size_t const column = design.column(row, slot);
      std::size_t const fan = options.fan == Fan::in ? degree : design.column_degree(column);
      double const deviation = options.gain / __builtin_sqrt(static_cast<double>(fan * taps));
      for (std::uint32_t tap = 0; tap < taps; ++tap) {
        RandomWords const words =
            philox({{static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(row), tap, 0x696e'6974}},
                   options.seed);
        double const uniform = (static_cast<double>(words[0]) + 0.5) * 0x1p-32;
        values[tap * count + design.value_index(row, slot)] =
            static_cast<Real>(static_cast<float>(deviation * normal_quantile(uniform)));
      }
    }
  }
}

}  // namespace weir::inline v1
