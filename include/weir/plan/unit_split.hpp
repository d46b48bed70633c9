#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace weir::inline v1 {

/// The work of one unit of devices.
struct UnitShare {
  std::size_t workers = 0;
  std::size_t micro_batches = 0;
  double seconds = 0;

  std::size_t total() const { return workers * micro_batches; }
};

/// Units that take the same time for the same work.
struct UnitKind {
  /// Of a step with `micro_batches` on each of so many workers: first + (micro_batches - 1) * further.
  struct Cost {
    double first = 0;
    double further = 0;

    double operator()(std::size_t micro_batches) const {
      return first + static_cast<double>(micro_batches - 1) * further;
    }
  };

  std::size_t count = 0;
  std::vector<Cost> by_workers = {};  // for 1, 2, .. workers
};

/// Shares out work over units of several kinds: the slowest unit is as fast as it can be and, among such
/// splits, the sum of all units' times is smallest.
///
/// Exact: whether a time can be reached is a question of which sums can be formed, and only the times that
/// units can take are tried. Cost: grows with the units and, up to a million, hardly with the work, because
/// the sums are counted down from the most that fits into the time; at worst, for times that do not grow with
/// work, units * work^2.
class UnitSplit {
 public:
  /// `work` is the sum of workers * micro_batches over all units, at least the number of units.
  UnitSplit(std::vector<UnitKind> const& kinds, std::size_t work) : kinds_(kinds), work_(work) {
    for (UnitKind const& kind : kinds_) units_ += kind.count;
    limit_ = work_ - units_ + 1;
  }

  /// The shares of the units of each kind, the larger ones first.
  std::vector<std::vector<UnitShare>> solve() const { return cheapest(fastest_time()); }

  /// The fastest way for one unit to do `work`; with fewer workers where two are equal.
  static UnitShare share(UnitKind const& kind, std::size_t work) {
    UnitShare best{.seconds = never};
    for (std::size_t workers = 1; workers <= kind.by_workers.size() && workers <= work; ++workers) {
      if (work % workers != 0) continue;
      double const seconds = kind.by_workers[workers - 1](work / workers);
      if (seconds < best.seconds) best = {workers, work / workers, seconds};
    }
    return best;
  }

 private:
  static constexpr std::size_t many = std::numeric_limits<std::size_t>::max() / 4;
  static constexpr double never = std::numeric_limits<double>::infinity();

  /// The most micro-batches that so many workers do in `time`; 0 if not one.
  std::size_t most_micro_batches(UnitKind const& kind, std::size_t workers, double time) const {
    UnitKind::Cost const& cost = kind.by_workers[workers - 1];
    std::size_t const limit = limit_ / workers;
    if (limit == 0 || cost(1) > time) return 0;
    if (cost(limit) <= time) return limit;
    std::size_t fits = 1;
    std::size_t too_many = limit;
    while (too_many - fits > 1) {
      std::size_t const middle = fits + (too_many - fits) / 2;
      (cost(middle) <= time ? fits : too_many) = middle;
    }
    return fits;
  }

  /// The most work that one unit does in `time`.
  std::size_t most_work(UnitKind const& kind, double time) const {
    std::size_t most = 0;
    for (std::size_t workers = 1; workers <= kind.by_workers.size() && workers <= limit_; ++workers) {
      std::size_t const work = workers * most_micro_batches(kind, workers, time);
      if (work > most) most = work;
    }
    return most;
  }

  /// The most work that all units do in `time`; 0 if one of them can do nothing.
  std::size_t most_work(double time) const {
    std::size_t sum = 0;
    for (UnitKind const& kind : kinds_) {
      std::size_t const most = most_work(kind, time);
      if (most == 0) return 0;
      sum = most > (many - sum) / kind.count ? many : sum + kind.count * most;
    }
    return sum;
  }

  /// The smallest time above `low` for which `holds`, which does for `high` and all times after the first.
  template <class Predicate>
  static double smallest(double low, double high, Predicate const& holds) {
    // Doubles of one sign are ordered as their bits are.
    std::uint64_t fails = __builtin_bit_cast(std::uint64_t, low);
    std::uint64_t found = __builtin_bit_cast(std::uint64_t, high);
    while (found - fails > 1) {
      std::uint64_t const middle = fails + (found - fails) / 2;
      (holds(__builtin_bit_cast(double, middle)) ? found : fails) = middle;
    }
    return __builtin_bit_cast(double, found);
  }

  /// The next time after `time` that a unit can take.
  double next_time(double time) const {
    double next = never;
    for (UnitKind const& kind : kinds_) {
      for (std::size_t workers = 1; workers <= kind.by_workers.size() && workers <= limit_; ++workers) {
        std::size_t const most = most_micro_batches(kind, workers, time);
        if (most == limit_ / workers) continue;
        double const after = kind.by_workers[workers - 1](most + 1);
        if (after < next) next = after;
      }
    }
    return next;
  }

  double fastest_time() const {
    double enough_for_all = 0;
    for (UnitKind const& kind : kinds_) {
      double const alone = kind.by_workers.front()(limit_);
      if (alone > enough_for_all) enough_for_all = alone;
    }
    double time = smallest(0.0, enough_for_all, [&](double t) { return most_work(t) >= work_; });
    // The sums have gaps near the most that fits, so a few later times may be needed.
    double fails = time;
    for (std::size_t steps = 1; !is_reachable(time); steps *= 2) {
      fails = time;
      for (std::size_t i = 0; i < steps && time < enough_for_all; ++i) time = next_time(time);
    }
    return fails < time ? smallest(fails, time, [&](double t) { return is_reachable(t); }) : time;
  }

  /// Work is counted as what it is above 1 or, where that is less, below the most that a unit can do.
  struct Window {
    bool is_from_most;
    std::size_t target;  // in all units together

    std::size_t work(std::size_t most, std::size_t distance) const {
      return is_from_most ? most - distance : 1 + distance;
    }
  };
  Window window(double time) const {
    std::size_t const below = most_work(time) - work_;
    std::size_t const above = work_ - units_;
    return {below <= above, below <= above ? below : above};
  }

  /// One bit for each distance up to `size - 1`.
  class Bits {
   public:
    explicit Bits(std::size_t size) : words_((size + 63) / 64) {}

    void set(std::size_t bit) { words_[bit / 64] |= std::uint64_t{1} << bit % 64; }
    bool operator[](std::size_t bit) const { return (words_[bit / 64] >> bit % 64 & 1) != 0; }
    /// Sets what is set in `other`, moved up.
    void set_shifted(Bits const& other, std::size_t distance) {
      std::size_t const whole = distance / 64;
      std::size_t const rest = distance % 64;
      for (std::size_t i = words_.size(); i-- > whole;) {
        std::uint64_t word = other.words_[i - whole] << rest;
        if (rest != 0 && i > whole) word |= other.words_[i - whole - 1] >> (64 - rest);
        words_[i] |= word;
      }
    }

   private:
    std::vector<std::uint64_t> words_;
  };

  /// The distances within the window of all work that one unit does in `time`, ascending.
  std::vector<std::size_t> distances(UnitKind const& kind, double time, Window const& window) const {
    std::size_t const most = most_work(kind, time);
    std::size_t const size = window.target < most ? window.target + 1 : most;
    Bits possible(size);
    for (std::size_t workers = 1; workers <= kind.by_workers.size() && workers <= limit_; ++workers) {
      std::size_t const last = most_micro_batches(kind, workers, time);
      std::size_t const first_work = window.is_from_most ? most - (size - 1) : 1;
      std::size_t const first = (first_work + workers - 1) / workers;
      for (std::size_t m = first; m <= last; ++m) {
        std::size_t const work = workers * m;
        std::size_t const distance = window.is_from_most ? most - work : work - 1;
        if (distance >= size) break;
        possible.set(distance);
      }
    }
    std::vector<std::size_t> list;
    for (std::size_t distance = 0; distance < size; ++distance) {
      if (possible[distance]) list.push_back(distance);
    }
    return list;
  }

  bool is_reachable(double time) const {
    std::size_t without_gaps = 0;
    for (UnitKind const& kind : kinds_) {
      std::size_t const most = most_micro_batches(kind, 1, time);
      if (most == 0) {
        without_gaps = 0;
        break;
      }
      without_gaps = most > (many - without_gaps) / kind.count ? many : without_gaps + kind.count * most;
    }
    if (without_gaps >= work_) return true;
    if (most_work(time) < work_) return false;

    Window const in = window(time);
    Bits reached(in.target + 1);
    reached.set(0);
    for (UnitKind const& kind : kinds_) {
      auto const steps = distances(kind, time, in);
      for (std::size_t unit = 0; unit < kind.count; ++unit) {
        Bits next(in.target + 1);
        for (std::size_t const step : steps) next.set_shifted(reached, step);
        reached = std::move(next);
      }
    }
    return reached[in.target];
  }

  /// Of the splits that need no more than `time`.
  std::vector<std::vector<UnitShare>> cheapest(double time) const {
    Window const in = window(time);
    std::size_t const size = in.target + 1;
    std::vector<std::vector<UnitShare>> choices(kinds_.size());  // by kind
    std::vector<std::vector<std::size_t>> steps(kinds_.size());
    std::vector<std::uint32_t> chosen(units_ * size);  // by unit and distance reached
    std::vector<double> sums(size, never);
    std::vector<double> next(size);
    sums[0] = 0;
    std::size_t unit = 0;
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      std::size_t const most = most_work(kinds_[k], time);
      steps[k] = distances(kinds_[k], time, in);
      for (std::size_t const step : steps[k]) choices[k].push_back(share(kinds_[k], in.work(most, step)));
      for (std::size_t i = 0; i < kinds_[k].count; ++i, ++unit) {
        for (double& sum : next) sum = never;
        std::uint32_t* const row = &chosen[unit * size];
        for (std::size_t c = 0; c < steps[k].size(); ++c) {
          double const seconds = choices[k][c].seconds;
          for (std::size_t from = 0, to = steps[k][c]; to < size; ++from, ++to) {
            if (sums[from] + seconds >= next[to]) continue;
            next[to] = sums[from] + seconds;
            row[to] = static_cast<std::uint32_t>(c);
          }
        }
        sums.swap(next);
      }
    }

    std::vector<std::vector<UnitShare>> shares(kinds_.size());
    std::size_t distance = in.target;
    for (std::size_t k = kinds_.size(); k-- > 0;) {
      for (std::size_t i = 0; i < kinds_[k].count; ++i) {
        std::size_t const c = chosen[--unit * size + distance];
        insert(shares[k], choices[k][c]);
        distance -= steps[k][c];
      }
    }
    return shares;
  }

  static void insert(std::vector<UnitShare>& shares, UnitShare const& share) {
    shares.push_back(share);
    for (std::size_t i = shares.size() - 1; i > 0 && is_larger(shares[i], shares[i - 1]); --i) {
      UnitShare const larger = shares[i];
      shares[i] = shares[i - 1];
      shares[i - 1] = larger;
    }
  }
  static bool is_larger(UnitShare const& left, UnitShare const& right) {
    return left.total() != right.total() ? left.total() > right.total() : left.workers > right.workers;
  }

  std::vector<UnitKind> const& kinds_;
  std::size_t work_;
  std::size_t units_ = 0;
  std::size_t limit_ = 0;  // of one unit, as each other one does at least 1
};

}  // namespace weir::inline v1
