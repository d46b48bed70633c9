#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/rational.hpp"

namespace weir::inline v1 {

/// Consecutive layers: from `first` to before `end`, which may be the same.
struct LayerRange {
  std::size_t first = 0;
  std::size_t end = 0;

  constexpr std::size_t size() const { return end - first; }
  friend constexpr bool operator==(LayerRange const&, LayerRange const&) = default;
};

struct PartitionOptions {
  std::span<Rational const> memory = {};  ///< of each layer; empty: no limit
  Rational memory_limit = 0;              ///< of a stage
};

/// A model cut into stages.
struct Partition {
  std::vector<LayerRange> stages = {};  ///< empty if no partition keeps to the limit
  Rational bottleneck = 0;              ///< cost of the most expensive stage

  constexpr explicit operator bool() const { return !stages.empty(); }
};

namespace detail {

/// Numbers as multiples of a common unit, with sums over ranges.
class PrefixSums {
 public:
  PrefixSums(std::span<Rational const> numbers, char const* what) {
    for (Rational const& number : numbers) {
      if (number < Rational{})
        throw ContractViolation(std::string("partition: a ") + what + " of " + text(number) +
                                "; 0 or more would be right");
      unit_ = Rational(unit_) * Rational(Rational(unit_.numerator(), number.denominator()).denominator());
    }
    sums_.push_back(0);
    Rational sum;
    for (Rational const& number : numbers) {
      sum += number * unit_;  // which notices what does not fit
      sums_.push_back(sum.numerator());
    }
  }

  std::int64_t operator()(std::size_t first, std::size_t end) const { return sums_[end] - sums_[first]; }
  Rational original(std::int64_t sum) const { return Rational(sum) / unit_; }
  /// The largest multiple of the unit that is not above.
  std::int64_t rounded_down(Rational const& number) const {
    if (number > original(sums_.back())) return sums_.back();
    Rational const scaled = number * unit_;
    return scaled.numerator() / scaled.denominator();
  }

 private:
  Rational unit_ = 1;
  std::vector<std::int64_t> sums_;
};

/// Cuts layers into as many or less stages, each of one layer or more.
class PartitionSearch {
 public:
  PartitionSearch(PrefixSums const& cost, PrefixSums const& memory, std::int64_t memory_limit,
                  std::size_t layers, std::size_t stages)
      : cost_(cost), memory_(memory), memory_limit_(memory_limit), layers_(layers), stages_(stages) {}

  std::vector<LayerRange> run() {
    if (!find_bottleneck()) return {};
    find_squares();
    std::vector<LayerRange> result;
    std::size_t first = 0;
    for (std::size_t stage = 0; stage < stages_; ++stage) {
      std::size_t const end = longest_[stage * (layers_ + 1) + first];
      result.push_back({first, end});
      first = end;
    }
    return result;
  }

 private:
  __extension__ typedef unsigned __int128 Wide;
  static constexpr std::int64_t impossible = INT64_MAX;

  bool fits(std::size_t first, std::size_t end) const { return memory_(first, end) <= memory_limit_; }

  /// The least largest cost for the layers from each one on, in one stage more at a time.
  bool find_bottleneck() {
    std::vector<std::int64_t> least(layers_ + 1, impossible);
    least[layers_] = -1;
    for (std::size_t stage = 0; stage < stages_; ++stage) {
      std::vector<std::int64_t> next(layers_ + 1, impossible);
      for (std::size_t first = 0; first < layers_; ++first) {
        for (std::size_t end = first + 1; end <= layers_ && fits(first, end); ++end) {
          std::int64_t const here = cost_(first, end);
          if (here >= next[first]) break;  // and so are longer ones
          std::int64_t const worst = least[end] > here ? least[end] : here;
          if (worst < next[first]) next[first] = worst;
        }
      }
      least = std::move(next);
    }
    bottleneck_ = least[0];
    return bottleneck_ != impossible;
  }

  /// For the layers from each one on, and the stages from each one on, the least sum of squares with no stage
  /// above the bottleneck, and how far the first stage goes at most.
  void find_squares() {
    Wide const none = ~Wide{0};
    longest_.assign(stages_ * (layers_ + 1), 0);
    std::vector<Wide> least(layers_ + 1, none);
    least[layers_] = 0;
    for (std::size_t stage = stages_; stage-- > 0;) {
      std::vector<Wide> next(layers_ + 1, none);
      for (std::size_t first = 0; first < layers_; ++first) {
        for (std::size_t end = first + 1; end <= layers_ && fits(first, end); ++end) {
          std::int64_t const here = cost_(first, end);
          if (here > bottleneck_) break;
          if (least[end] == none) continue;
          Wide const squares = least[end] + static_cast<Wide>(here) * static_cast<Wide>(here);
          if (squares <= next[first]) {
            next[first] = squares;
            longest_[stage * (layers_ + 1) + first] = end;
          }
        }
      }
      least = std::move(next);
    }
  }

  PrefixSums const& cost_;
  PrefixSums const& memory_;
  std::int64_t memory_limit_;
  std::size_t layers_;
  std::size_t stages_;
  std::int64_t bottleneck_ = 0;
  std::vector<std::size_t> longest_;
};

}  // namespace detail

/// Cuts consecutive layers into stages, exactly: each has one layer or more, or, if there are less layers
/// than stages, one or none; no stage is above the memory limit; then the largest cost is the least there can
/// be, then the sum of squared costs, and then the first stages are as long as can be.
///
/// Cost: of the order of layers^2 times stages.
/// Errors: ContractViolation for no layers or stages, negative numbers, a list of memory of another length,
/// and sums that do not fit in 64 bits.
inline Partition partition(std::span<Rational const> costs, std::size_t stages,
                           PartitionOptions const& options = {}) {
  if (costs.empty() || stages == 0)
    throw ContractViolation("partition: no layers or no stages; one or more of both would be right");
  if (!options.memory.empty() && options.memory.size() != costs.size())
    throw ContractViolation("partition: the memory of " + std::to_string(options.memory.size()) +
                            " layers for " + std::to_string(costs.size()) +
                            "; one value for each would be right");
  std::vector<Rational> const nothing(costs.size());
  detail::PrefixSums const cost(costs, "cost");
  detail::PrefixSums const memory(
      options.memory.empty() ? std::span<Rational const>(nothing) : options.memory, "layer's memory");
  std::int64_t const limit = memory.rounded_down(options.memory_limit);
  std::size_t const layers = costs.size();
  std::size_t const used = layers < stages ? layers : stages;
  Partition result;
  result.stages = detail::PartitionSearch(cost, memory, limit, layers, used).run();
  if (result.stages.empty()) return result;
  std::int64_t largest = 0;
  for (LayerRange const& stage : result.stages) {
    std::int64_t const here = cost(stage.first, stage.end);
    if (here > largest) largest = here;
  }
  result.bottleneck = cost.original(largest);
  result.stages.resize(stages, {layers, layers});
  return result;
}

}  // namespace weir::inline v1
