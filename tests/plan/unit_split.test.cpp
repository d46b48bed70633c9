#include "weir/plan/unit_split.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

using weir::UnitKind;
using weir::UnitSplit;

namespace {

struct Best {
  double slowest = std::numeric_limits<double>::infinity();
  double sum = std::numeric_limits<double>::infinity();
};

/// Tries everything.
class Enumeration {
 public:
  Enumeration(std::vector<UnitKind> const& kinds, std::size_t work) {
    for (UnitKind const& kind : kinds) {
      for (std::size_t i = 0; i < kind.count; ++i) units_.push_back(&kind);
    }
    next(0, work, 0, 0);
  }

  Best best;

 private:
  static double fastest(UnitKind const& kind, std::size_t work) {
    double seconds = std::numeric_limits<double>::infinity();
    for (std::size_t workers = 1; workers <= kind.by_workers.size(); ++workers) {
      if (work % workers == 0) seconds = std::min(seconds, kind.by_workers[workers - 1](work / workers));
    }
    return seconds;
  }

  void next(std::size_t unit, std::size_t work, double slowest, double sum) {
    if (unit == units_.size()) {
      if (work != 0) return;
      if (slowest < best.slowest || (slowest == best.slowest && sum < best.sum)) best = {slowest, sum};
      return;
    }
    for (std::size_t own = 1; own <= work; ++own) {
      double const seconds = fastest(*units_[unit], own);
      next(unit + 1, work - own, std::max(slowest, seconds), sum + seconds);
    }
  }

  std::vector<UnitKind const*> units_;
};

/// What a split comes to, after it has been checked.
Best check_split(std::vector<UnitKind> const& kinds, std::size_t work) {
  auto const shares = UnitSplit(kinds, work).solve();
  REQUIRE(shares.size() == kinds.size());
  Best result{0, 0};
  std::size_t done = 0;
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    REQUIRE(shares[k].size() == kinds[k].count);
    std::size_t before = work;
    for (auto const& share : shares[k]) {
      REQUIRE(share.workers >= 1);
      REQUIRE(share.workers <= kinds[k].by_workers.size());
      REQUIRE(share.micro_batches >= 1);
      REQUIRE(share.seconds == kinds[k].by_workers[share.workers - 1](share.micro_batches));
      REQUIRE(share.total() <= before);
      before = share.total();
      done += share.total();
      result.slowest = std::max(result.slowest, share.seconds);
      result.sum += share.seconds;
    }
  }
  REQUIRE(done == work);
  return result;
}

double coarse(std::size_t number) {
  return static_cast<double>(number);
}

std::vector<UnitKind> random_kinds(std::mt19937& random, std::size_t count, std::size_t units,
                                   std::size_t max_workers) {
  std::vector<UnitKind> kinds(count);
  for (UnitKind& kind : kinds) {
    kind.count = 1 + random() % units;
    std::size_t const workers = 1 + random() % max_workers;
    double const forward = coarse(random() % 8) + 1;
    for (std::size_t k = 1; k <= workers; ++k) {
      // Coarse, so that times are often equal; sometimes more micro-batches cost nothing.
      double const further = random() % 5 == 0 ? 0 : forward * coarse(k) - coarse(random() % 4);
      kind.by_workers.push_back({std::max(further, 0.0) + coarse(random() % 4) + 1, std::max(further, 0.0)});
    }
  }
  return kinds;
}

}  // namespace

TEST_CASE("a split is the best of all") {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    auto const kinds = random_kinds(random, 1 + random() % 3, 2, 4);
    std::size_t units = 0;
    for (auto const& kind : kinds) units += kind.count;
    std::size_t const work = units + random() % 9;
    CAPTURE(round);
    CAPTURE(work);
    Best const expected = Enumeration(kinds, work).best;
    Best const found = check_split(kinds, work);
    REQUIRE(found.slowest == expected.slowest);
    REQUIRE(found.sum == doctest::Approx(expected.sum).epsilon(1e-12));
  }
}

TEST_CASE("gaps in the sums are stepped over") {
  // Two workers are far faster than one, and an odd sum needs one device with one worker.
  std::vector<UnitKind> const kinds = {{3, {{10, 10}, {1, 1}}}};
  CHECK(check_split(kinds, 6).slowest == 1);
  CHECK(check_split(kinds, 7).slowest == 10);
}

TEST_CASE("64 units of 8 kinds are split in far less than a second, and so is a large work") {
  std::mt19937 random(7);
  std::vector<UnitKind> kinds(8);
  for (UnitKind& kind : kinds) {
    kind.count = 8;
    double const speed = 1 + 0.001 * static_cast<double>(random() % 1000);
    for (std::size_t k = 1; k <= 8; ++k) {
      double const both = speed * static_cast<double>(k) / (1 + 0.1 * static_cast<double>(k));
      kind.by_workers.push_back({both + 0.3, both});
    }
  }
  auto const begin = std::chrono::steady_clock::now();
  check_split(kinds, 1024);
  check_split(kinds, 32768);
  check_split(kinds, std::size_t{1} << 50);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}
