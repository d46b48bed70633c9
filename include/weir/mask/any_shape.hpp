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

/// K entries of a row of V. It may lie exactly at a bound of the rules, where a quotient would decide by its
/// rounding.
struct RowShare {
  std::size_t degree = 0;
  std::size_t inputs = 1;

  /// The share of `positions` to the nearest.
  constexpr std::size_t of(std::size_t positions) const { return (degree * positions + inputs / 2) / inputs; }
  constexpr std::uint32_t levels(std::uint32_t group) const {
    std::size_t const nearest = of(group);
    return nearest < 1 ? 1 : static_cast<std::uint32_t>(smaller(nearest, group - 1));
  }
  /// How far m/n lies from the share, in parts of 256 V, where n divides 256.
  constexpr std::size_t error(GroupChoice const& choice) const {
    std::size_t const has = choice.levels * inputs;
    std::size_t const asked = degree * choice.group;
    return (has < asked ? asked - has : has - asked) * (256 / choice.group);
  }
  constexpr std::size_t tolerance() const { return degree * (256 / 8); }
  /// Whether k of v lies within an eighth.
  constexpr bool is_near(std::size_t k, std::size_t v) const {
    std::size_t const has = k * inputs;
    std::size_t const asked = degree * v;
    return (has < asked ? asked - has : has - asked) <= asked / 8;
  }
};

/// The same of a density that was given as such.
struct Density {
  double density = 0;

  constexpr std::uint32_t levels(std::uint32_t group) const { return levels_for(density, group); }
  constexpr double error(GroupChoice const& choice) const {
    return distance(static_cast<double>(choice.levels) / choice.group);
  }
  constexpr double tolerance() const { return density / 8; }
  constexpr bool is_near(std::size_t k, std::size_t v) const {
    return distance(static_cast<double>(k) / static_cast<double>(v)) <= tolerance();
  }

 private:
  constexpr double distance(double other) const {
    return other < density ? density - other : other - density;
  }
};

/// The first group size 2, 4, 8, .. whose nearest density lies within an eighth of the one asked for, else
/// the one that comes nearest.
template <class Share>
constexpr GroupChoice group_for_share(std::size_t outputs, std::size_t inputs, Share const& asked) {
  GroupChoice best = {2, asked.levels(2)};
  for (std::uint32_t n = 2; n <= largest_group(outputs, inputs); n *= 2) {
    GroupChoice const choice = {n, asked.levels(n)};
    if (asked.error(choice) <= asked.tolerance()) return choice;
    if (asked.error(choice) < asked.error(best)) best = choice;
  }
  return best;
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
  return detail::group_for_share(outputs, inputs, detail::Density{density});
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
  if (row_degree == all_inputs || outputs == 1 || inputs == 1) return {};
  return detail::group_for_share(outputs, inputs, detail::RowShare{row_degree, all_inputs});
}

/// Where neither is asked for: one level, and about as many groups as a group has inputs.
constexpr GroupChoice default_group(std::size_t outputs, std::size_t inputs) {
  detail::check_sides(outputs, inputs);
  std::size_t root = detail::power_of_two_below(inputs);
  while (root > inputs / root) root /= 2;
  return {static_cast<std::uint32_t>(detail::smaller(root, detail::power_of_two_below(outputs))), 1};
}

}  // namespace weir::inline v1
