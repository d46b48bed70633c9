#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

/// Group size n and number of levels m, so that the density is m/n. {1, 1} is the full matrix.
struct GroupChoice {
  std::uint32_t group = 1;
  std::uint32_t levels = 1;

  friend constexpr bool operator==(GroupChoice const&, GroupChoice const&) = default;
};

namespace detail {

/// The largest power of two that is at most `limit`, which is not 0.
constexpr std::size_t power_of_two_below(std::size_t limit) {
  std::size_t power = 1;
  while (power <= limit / 2) power *= 2;
  return power;
}

constexpr std::size_t largest_group(std::size_t outputs, std::size_t inputs) {
  return smaller(256, power_of_two_below(smaller(outputs, inputs)));
}

/// m of a group size: dn to the nearest, from 1 to n-1.
constexpr std::uint32_t levels_for(double density, std::uint32_t group) {
  auto const nearest = static_cast<std::uint32_t>(density * group + 0.5);
  return nearest < 1 ? 1 : nearest > group - 1 ? group - 1 : nearest;
}

constexpr void check_sides(std::size_t outputs, std::size_t inputs) {
  if (outputs == 0) throw ContractViolation("outputs 0: a mask has at least 1");
  if (inputs == 0) throw ContractViolation("inputs 0: a mask has at least 1");
}

constexpr void check_density(double density) {
  if (!(density > 0 && density <= 1))
    throw ContractViolation("density " + std::to_string(density) + ": above 0 and at most 1 would be right");
}

}  // namespace detail

/// The first group size 2, 4, 8, .. whose nearest density lies within an eighth of the one asked for, else
/// the one that comes nearest.
constexpr GroupChoice group_for_density(std::size_t outputs, std::size_t inputs, double density) {
  detail::check_sides(outputs, inputs);
  detail::check_density(density);
  if (density == 1 || outputs == 1 || inputs == 1) return {};
  GroupChoice best;
  double least_error = 2;
  for (std::uint32_t n = 2; n <= detail::largest_group(outputs, inputs); n *= 2) {
    std::uint32_t const m = detail::levels_for(density, n);
    double const difference = static_cast<double>(m) / n - density;
    double const error = difference < 0 ? -difference : difference;
    if (error < least_error) {
      best = {n, m};
      least_error = error;
    }
    if (error <= density / 8) return {n, m};
  }
  return best;
}

/// The first group size that gives every row exactly `row_degree` entries (of `all_inputs`, where `inputs` is
/// that of a grid of tiles), else the one for that density.
constexpr GroupChoice group_for_row_degree(std::size_t outputs, std::size_t inputs, std::size_t row_degree,
                                           std::size_t all_inputs) {
  detail::check_sides(outputs, inputs);
  if (row_degree == 0 || row_degree > all_inputs) {
    throw ContractViolation("row-degree " + std::to_string(row_degree) + ": from 1 to " +
                            std::to_string(all_inputs) + ", the inputs, would be right");
  }
  for (std::uint32_t n = 2; n <= detail::largest_group(outputs, inputs); n *= 2) {
    if (inputs % n != 0 || row_degree * n % all_inputs != 0) continue;
    std::size_t const m = row_degree * n / all_inputs;
    if (m >= 1 && m < n) return {n, static_cast<std::uint32_t>(m)};
  }
  return group_for_density(outputs, inputs,
                           static_cast<double>(row_degree) / static_cast<double>(all_inputs));
}

/// Where neither is asked for: one level, and about as many groups as a group has inputs.
constexpr GroupChoice default_group(std::size_t outputs, std::size_t inputs) {
  detail::check_sides(outputs, inputs);
  std::size_t root = detail::power_of_two_below(inputs);
  while (root > inputs / root) root /= 2;
  return {static_cast<std::uint32_t>(detail::smaller(root, detail::power_of_two_below(outputs))), 1};
}

}  // namespace weir::inline v1
