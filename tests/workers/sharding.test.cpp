#include "weir/workers/sharding.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

std::vector<std::size_t> boundaries(weir::RankMajorSharding const& sharding) {
  std::vector<std::size_t> found{0};
  for (std::size_t rank = 0; rank < sharding.ranks(); ++rank) found.push_back(sharding.slice(rank).end);
  return found;
}

/// How often each entry of an epoch is taken.
class Visits {
 public:
  explicit Visits(std::size_t samples) : counts_(samples) {}
  void take(weir::SampleRange range) {
    for (std::size_t i = range.begin; i < range.end; ++i) ++counts_.at(i);
  }
  bool each_once() const {
    for (int count : counts_) {
      if (count != 1) return false;
    }
    return true;
  }

 private:
  std::vector<int> counts_;
};

}  // namespace

TEST_CASE("Slices of ranks lie where the exact shares say") {
  CHECK(boundaries({1281167, {3, 3, 3, 3, 1, 1, 1, 1}, 32}) ==
        std::vector<std::size_t>{0, 240218, 480437, 720656, 960875, 1040948, 1121021, 1201094, 1281167});
  CHECK(boundaries({103, {3, 1, 6, 5}, 4}) == std::vector<std::size_t>{0, 20, 27, 68, 103});
}

TEST_CASE("Both layouts cover an epoch disjointly, with slices within one sample of the exact share") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::size_t const samples = random() % 10001;
    std::size_t const local_batch = 1 + random() % 9;
    std::vector<std::size_t> micro_batches(1 + random() % 8);
    std::size_t total = 0;
    for (std::size_t& count : micro_batches) total += count = 1 + random() % 6;
    CAPTURE(samples);
    CAPTURE(total);

    weir::RankMajorSharding const by_rank(samples, micro_batches, local_batch);
    CHECK(by_rank.steps() == (samples + total * local_batch - 1) / (total * local_batch));
    Visits visits(samples);
    for (std::size_t step = 0; step < by_rank.steps(); ++step) {
      std::size_t in_step = 0;
      for (std::size_t rank = 0; rank < by_rank.ranks(); ++rank) {
        visits.take(by_rank.piece(rank, step));
        in_step += by_rank.piece(rank, step).size();
      }
      CHECK(by_rank.samples(step) == in_step);
    }
    CHECK(visits.each_once());
    for (std::size_t rank = 0; rank < by_rank.ranks(); ++rank) {
      double const share = static_cast<double>(samples) * static_cast<double>(micro_batches[rank]) /
                           static_cast<double>(total);
      CHECK(std::abs(static_cast<double>(by_rank.slice(rank).size()) - share) < 1.0);
    }

    weir::StepMajorSharding const by_step(samples, total * local_batch);
    Visits stepped(samples);
    std::size_t consumed = 0;
    for (std::size_t step = 0; step < by_step.steps(); ++step) {
      auto const range = by_step.step(consumed);
      CHECK(range.begin == consumed);
      if (step + 1 < by_step.steps()) CHECK(range.size() == total * local_batch);
      stepped.take(range);
      consumed = range.end;
    }
    CHECK(stepped.each_once());
    CHECK(by_step.step(consumed).size() == 0);
  }
}

TEST_CASE("A ragged last step is dropped when that is asked for") {
  weir::StepMajorSharding const sharding(103, 25, true);
  CHECK(sharding.steps() == 4);
  CHECK(sharding.step(75) == weir::SampleRange{75, 100});
  CHECK(sharding.step(100).size() == 0);
  CHECK(weir::StepMajorSharding(103, 25).step(100) == weir::SampleRange{100, 103});
}

TEST_CASE("Slices change their shares at the ends of an epoch only, and then cover the next one disjointly") {
  weir::RankMajorSharding const sharding(103, {3, 1}, 4);
  REQUIRE(sharding.steps() == 7);
  for (std::size_t step : {0u, 7u}) {
    auto const next = sharding.resized({1, 2, 2}, 3, step);
    CHECK(boundaries(next) == std::vector<std::size_t>{0, 20, 61, 103});
    CHECK(next.steps() == 7);
    CHECK(next.piece(1, 6) == weir::SampleRange{56, 61});
    Visits visits(103);
    for (std::size_t at = 0; at < next.steps(); ++at) {
      for (std::size_t rank = 0; rank < next.ranks(); ++rank) visits.take(next.piece(rank, at));
    }
    CHECK(visits.each_once());
  }
  CHECK(boundaries(sharding) == std::vector<std::size_t>{0, 77, 103});
  for (std::size_t step : {1u, 3u, 6u, 8u}) {
    CHECK_THROWS_WITH_AS((void)sharding.resized({1, 2, 2}, 3, step),
                         doctest::Contains(("new shares after step " + std::to_string(step) +
                                            " of an epoch of 7 steps; they may change at its end only")
                                               .c_str()),
                         weir::ContractViolation);
  }
  CHECK_THROWS_WITH_AS((void)sharding.resized({1, 2, 2}, 0, 7), doctest::Contains("local batch of 0"),
                       weir::ContractViolation);
  CHECK_THROWS_AS((void)sharding.resized({0}, 3, 0), weir::ContractViolation);
}

TEST_CASE("What cannot be shared out is refused with the reason") {
  CHECK_THROWS_WITH_AS(weir::StepMajorSharding(10, 0), doctest::Contains("global batch of 0"),
                       weir::ContractViolation);
  CHECK_THROWS_AS(weir::RankMajorSharding(10, {0, 0}, 1), weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::RankMajorSharding(10, {1, 1}, 0),
                       "RankMajorSharding: a local batch of 0 samples", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::RankMajorSharding(std::size_t{1} << 62, {1, 1}, 1), doctest::Contains("63 bits"),
                       weir::ContractViolation);
}

TEST_CASE("Batches larger than any epoch take all of it in one step") {
  constexpr std::size_t largest = std::numeric_limits<std::size_t>::max();
  CHECK(weir::StepMajorSharding(10, largest).steps() == 1);
  CHECK(weir::StepMajorSharding(10, largest).step(0) == weir::SampleRange{0, 10});
  CHECK(weir::StepMajorSharding(10, largest, true).steps() == 0);
  CHECK(weir::StepMajorSharding(0, largest).steps() == 0);
  for (std::size_t local_batch : {std::size_t{1} << 63, largest, largest / 2}) {
    weir::RankMajorSharding const sharding(10, {1, 3, 0}, local_batch);
    CHECK(sharding.steps() == 1);
    CHECK(sharding.piece(0, 0) == weir::SampleRange{0, 2});
    CHECK(sharding.piece(1, 0) == weir::SampleRange{2, 10});
    CHECK(sharding.piece(2, 0) == weir::SampleRange{10, 10});
    CHECK(weir::RankMajorSharding(0, {1, 1}, local_batch).steps() == 0);
  }
}

TEST_CASE("A step far behind the end of an epoch takes nothing") {
  weir::RankMajorSharding const sharding(100, {2, 2}, 4);
  for (std::size_t step : {sharding.steps(), std::size_t{1} << 61, std::numeric_limits<std::size_t>::max()})
    CHECK(sharding.samples(step) == 0);
}

TEST_CASE("Micro-batches that cannot be counted are refused") {
  CHECK_THROWS_WITH_AS(weir::RankMajorSharding(1, {std::numeric_limits<std::size_t>::max(), 2}, 1),
                       doctest::Contains("do not fit into 63 bits"), weir::ContractViolation);
}
