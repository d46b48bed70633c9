#pragma once

#include <cstddef>

#include "weir/compress/sparse_method.hpp"
#include "weir/core/rounded_product.hpp"

namespace weir::inline v1 {

/// What a message costs: `alpha` for being sent, `beta` for each byte. Units: seconds; seconds per byte.
struct Link {
  double alpha = 20e-6;
  double beta = 1.0 / 1.25e9;
};

/// What is summed: a bucket of `elements`, of which no rank has selected more than `selected`, a real number
/// so that it can stand for a density. Units: bytes per value and per index.
struct SparseLoad {
  std::size_t ranks = 1;
  double elements = 0.0;
  double selected = 0.0;
  double value_bytes = 4.0;
  double index_bytes = 4.0;
};

/// U(j) = N (1 - (1 - k/N)^j): how many slots j ranks are expected to have selected together.
inline double expected_union(SparseLoad const& load, std::size_t ranks) {
  if (load.elements <= 0.0) return 0.0;
  double absent = 1.0;
  double power = 1.0 - load.selected / load.elements;
  for (std::size_t rest = ranks; rest != 0; rest /= 2) {
    if (rest % 2 != 0) absent = rounded_product(absent, power);
    power = rounded_product(power, power);
  }
  return rounded_product(load.elements, 1.0 - absent);
}

/// ceil(log2 count), 0 for 1.
constexpr std::size_t rounds_of_doubling(std::size_t count) {
  std::size_t rounds = 0;
  while (rounds < 63 && (std::size_t{1} << rounds) < count) ++rounds;
  return rounds;
}

namespace detail {
struct MessageCost {
  double messages = 0.0;
  double bytes = 0.0;
};

inline double lesser_cost(double left, double right) {
  return right < left ? right : left;
}

inline double bytes_of_doubling(SparseLoad const& load) {
  double const pair = load.value_bytes + load.index_bytes;
  double const dense = rounded_product(load.value_bytes, load.elements);
  double bytes = 0.0;
  for (std::size_t step = 1; step < load.ranks; step *= 2)
    bytes += lesser_cost(rounded_product(pair, expected_union(load, step)), dense);
  return bytes;
}

inline MessageCost message_cost(SparseMethod method, SparseLoad const& load) {
  double const ranks = static_cast<double>(load.ranks);
  double const rounds = static_cast<double>(rounds_of_doubling(load.ranks));
  double const others = (ranks - 1.0) / ranks;
  double const dense = rounded_product(load.value_bytes, load.elements);
  double const pairs = rounded_product(load.value_bytes + load.index_bytes, load.selected);
  double const values = rounded_product(load.value_bytes, load.selected);
  double const indices = rounded_product(load.index_bytes, load.selected);
  switch (method) {
    case SparseMethod::dense_ring:
      return {2.0 * (ranks - 1.0), 2.0 * rounded_product(others, dense)};
    case SparseMethod::dense_halving:
      return {2.0 * rounds, 2.0 * rounded_product(others, dense)};
    case SparseMethod::all_gather:
      return {rounds, rounded_product(ranks - 1.0, pairs)};
    case SparseMethod::recursive_doubling:
      return {rounds, bytes_of_doubling(load)};
    case SparseMethod::split: {
      double const all =
          rounded_product(load.value_bytes + load.index_bytes, expected_union(load, load.ranks));
      return {ranks - 1.0 + rounds, rounded_product(others, pairs + lesser_cost(all, dense))};
    }
    case SparseMethod::global_top_k:
      return {2.0 * rounds, 2.0 * rounded_product(rounds, pairs)};
    case SparseMethod::balanced:
      return {2.0 * ranks + 2.0 * rounds, 3.0 * rounded_product(others, pairs)};
    case SparseMethod::shared_indices:
      return {2.0 * rounds, 2.0 * rounded_product(others, values)};
    case SparseMethod::leader_indices:
      return {3.0 * rounds, 2.0 * rounded_product(others, values) + indices};
  }
  return {};
}
}  // namespace detail

/// How long it takes by the model of one port per rank. Units: seconds.
///
/// The arithmetic is the same whatever the compiler, so that ranks that know the same numbers find the same.
/// Source: [li2022oktopk] [renggli2019] [shi2019gtopk] [chen2020], and sums of them.
inline double seconds_of(SparseMethod method, SparseLoad const& load, Link const& link) {
  if (load.ranks < 2) return 0.0;
  detail::MessageCost const cost = detail::message_cost(method, load);
  return rounded_product(cost.messages, link.alpha) + rounded_product(cost.bytes, link.beta);
}

/// The same over nodes of `ranks_per_node`: a dense sum inside each node, over `inside`, `method` between
/// ranks of the same place in theirs, each for its part of the bucket, and a gather inside.
/// Shapes: `load.ranks`, all of them, is a multiple of `ranks_per_node`. Units: seconds.
inline double two_level_seconds(SparseMethod method, SparseLoad const& load, Link const& between,
                                std::size_t ranks_per_node, Link const& inside) {
  double const per_node = static_cast<double>(ranks_per_node);
  double const bytes =
      rounded_product(rounded_product(load.value_bytes, load.elements), (per_node - 1.0) / per_node);
  double const in_node =
      2.0 * (rounded_product(per_node - 1.0, inside.alpha) + rounded_product(bytes, inside.beta));
  SparseLoad part = load;
  part.ranks = load.ranks / ranks_per_node;
  part.elements = load.elements / per_node;
  part.selected = load.selected / per_node;
  return in_node + seconds_of(method, part, between);
}

/// What selecting and adding up take besides the messages. Units: seconds per bucket.
struct CompressionTime {
  double compress = 0.0;
  double decompress = 0.0;
};

/// The cheapest of the allowed methods, or a dense sum where no sparse one, with the time for selecting and
/// adding up, is below it. Of equals, the first in the table.
inline SparseMethod cheapest_method(SparseMethodSet allowed, SparseLoad const& load, Link const& link,
                                    CompressionTime const& time = {}) {
  auto best = SparseMethod::dense_ring;
  double least = seconds_of(best, load, link);
  double const halving = seconds_of(SparseMethod::dense_halving, load, link);
  if (allowed.contains(SparseMethod::dense_halving) && halving < least) {
    best = SparseMethod::dense_halving;
    least = halving;
  }
  for (std::size_t i = 0; i < sparse_methods; ++i) {
    auto const method = static_cast<SparseMethod>(i);
    if (is_dense(method) || !allowed.contains(method)) continue;
    double const seconds = seconds_of(method, load, link) + time.compress + time.decompress;
    if (seconds < least) {
      best = method;
      least = seconds;
    }
  }
  return best;
}

}  // namespace weir::inline v1
