#include "weir/pipeline/partition.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

using namespace weir;

namespace {

std::vector<std::vector<std::int64_t>> cut(std::vector<Rational> const& costs, std::size_t stages) {
  std::vector<std::vector<std::int64_t>> result;
  for (LayerRange const& stage : partition(costs, stages).stages) {
    result.push_back({static_cast<std::int64_t>(stage.first), static_cast<std::int64_t>(stage.end) - 1});
  }
  return result;
}

using Stages = std::vector<std::vector<std::int64_t>>;

/// The best of all ways to cut, by the order of the rules.
struct Exhaustive {
  std::vector<Rational> costs;
  std::vector<Rational> memory;
  Rational limit;
  std::size_t stages;

  struct Best {
    Rational bottleneck;
    Rational squares;
    std::vector<LayerRange> ranges;
  };
  std::optional<Best> best = {};
  std::vector<LayerRange> ranges = {};

  void search(std::size_t first) {
    if (ranges.size() == stages) {
      if (first == costs.size()) compare();
      return;
    }
    bool const is_scarce = costs.size() < stages;
    std::size_t const least = is_scarce ? 0 : 1;
    std::size_t const most = is_scarce ? 1 : costs.size();
    for (std::size_t size = least; size <= most && first + size <= costs.size(); ++size) {
      ranges.push_back({first, first + size});
      search(first + size);
      ranges.pop_back();
    }
  }

  void compare() {
    Best found{0, 0, ranges};
    for (LayerRange const& range : ranges) {
      Rational cost;
      Rational held;
      for (std::size_t layer = range.first; layer < range.end; ++layer) {
        cost += costs[layer];
        held += memory[layer];
      }
      if (held > limit) return;
      if (cost > found.bottleneck) found.bottleneck = cost;
      found.squares += cost * cost;
    }
    if (best && (found.bottleneck > best->bottleneck ||
                 (found.bottleneck == best->bottleneck && found.squares > best->squares)))
      return;
    bool const is_equal = best && found.bottleneck == best->bottleneck && found.squares == best->squares;
    if (is_equal && !has_longer_first(found.ranges, best->ranges)) return;
    best = found;
  }
  static bool has_longer_first(std::vector<LayerRange> const& left, std::vector<LayerRange> const& right) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i].end != right[i].end) return left[i].end > right[i].end;
    }
    return false;
  }
};

}  // namespace

TEST_CASE("known partitions") {
  CHECK(cut({5, 20, 13, 7, 11, 10}, 4) == Stages{{0, 0}, {1, 1}, {2, 3}, {4, 5}});
  CHECK(partition(std::vector<Rational>{5, 20, 13, 7, 11, 10}, 4).bottleneck == 21);
  CHECK(cut(std::vector<Rational>(10, 1), 3) == Stages{{0, 3}, {4, 6}, {7, 9}});
  CHECK(cut(std::vector<Rational>(30, 1), 4) == Stages{{0, 7}, {8, 15}, {16, 22}, {23, 29}});
  CHECK(cut({4, 4}, 4) == Stages{{0, 0}, {1, 1}, {2, 1}, {2, 1}});
  CHECK(partition(std::vector<Rational>{4, 4}, 4).bottleneck == 4);
  CHECK(cut({0, 0, 0}, 2) == Stages{{0, 1}, {2, 2}});
}

TEST_CASE("every layer is in one stage") {
  for (std::size_t const stages : {std::size_t{32}, std::size_t{3}}) {
    std::size_t next = 0;
    for (LayerRange const& stage :
         partition(std::vector<Rational>(stages == 3 ? 10 : 80, 1), stages).stages) {
      CHECK(stage.first == next);
      next = stage.end;
    }
    CHECK(next == (stages == 3 ? 10 : 80));
  }
}

TEST_CASE("up to 12 layers in up to 5 stages, with and without memory, as a search of all ways finds them") {
  std::mt19937 random(3);
  for (int round = 0; round < 1500; ++round) {
    std::size_t const layers = 1 + random() % (round % 10 == 0 ? 12 : 7);
    Exhaustive search{.costs = {}, .memory = {}, .limit = 0, .stages = 1 + random() % 5};
    for (std::size_t i = 0; i < layers; ++i) {
      search.costs.emplace_back(random() % 7, 1 + random() % 3);
      search.memory.emplace_back(round % 2 == 0 ? 0 : random() % 5, 2);
    }
    search.limit = Rational(random() % 12, 2);
    search.search(0);
    PartitionOptions options;
    if (round % 2 != 0) options = {.memory = search.memory, .memory_limit = search.limit};
    Partition const found = partition(search.costs, search.stages, options);
    INFO("round " << round);
    CHECK(bool(found) == search.best.has_value());
    if (!search.best) continue;
    CHECK(found.bottleneck == search.best->bottleneck);
    CHECK(found.stages == search.best->ranges);
  }
}

TEST_CASE("what cannot be cut is refused") {
  std::vector<Rational> const two{1, 2};
  std::vector<Rational> const three{1, 1, 1};
  CHECK_THROWS_AS(partition({}, 1), ContractViolation);
  CHECK_THROWS_AS(partition(two, 0), ContractViolation);
  CHECK_THROWS_AS(partition(std::vector<Rational>{1, -1}, 1), ContractViolation);
  CHECK_THROWS_AS(partition(two, 1, {.memory = three}), ContractViolation);
  CHECK_FALSE(partition(two, 2, {.memory = two, .memory_limit = 1}));
}
