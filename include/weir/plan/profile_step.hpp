#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/plan/profile.hpp"

namespace weir::inline v1 {

/// How far a step is run when it is timed: up to and with that part.
enum class StepPart : std::uint8_t {
  update,  // nothing but the sum over workers and the update
  data,    // fetching the samples, too
  forward,
  backward,  // the whole step
};
inline constexpr std::size_t step_parts = 4;

/// A step that can be profiled. `RecipeStep` makes one of a bound recipe.
template <class S>
concept ProfiledStep = requires(S& step, std::size_t workers, StepPart part) {
  step.resize(workers);  // throws a std::bad_alloc where so many do not fit, and stays as it was
  step.run(part);        // one step; returns when all workers and the update have ended
  step.copy_weights();   // to all workers but the first; returns when that has ended
};

/// The clock of the system. Units: nanoseconds.
struct SystemClock {
  std::int64_t operator()() const noexcept { return now(); }
};

struct StepProfileOptions {
  std::size_t local_batch = 1;   // of the step, for the result
  std::size_t most_workers = 1;  // to try; fewer if memory does not suffice
  std::size_t warmup = 10;       // steps
  std::size_t steps = 90;        // of whose fastest quarter the mean is taken
};

namespace detail {

template <ProfiledStep Step, class Clock>
class StepProfiler {
 public:
  StepProfiler(Step& step, StepProfileOptions const& options, Clock const& clock)
      : step_(step), options_(options), clock_(clock) {
    if (options.most_workers == 0 || options.steps == 0)
      throw ContractViolation("profile_step: 0 workers or steps; at least 1 would be right");
  }

  LocalBatchProfile run() {
    step_.resize(1);
    LocalBatchProfile profile{.size = options_.local_batch, .max_workers = 1, .points = {}};
    profile.points.push_back(point(1));
    std::size_t fails = options_.most_workers + 1;
    for (std::size_t workers = 2; workers < fails; workers *= 2) {
      if (!fits(workers)) {
        fails = workers;
        break;
      }
      profile.max_workers = workers;
      profile.points.push_back(point(workers));
    }
    std::size_t const measured = profile.max_workers;
    while (fails - profile.max_workers > 1) {
      std::size_t const middle = profile.max_workers + (fails - profile.max_workers) / 2;
      (fits(middle) ? profile.max_workers : fails) = middle;
    }
    if (profile.max_workers == measured) return profile;
    step_.resize(profile.max_workers);
    profile.points.push_back(point(profile.max_workers));
    return profile;
  }

 private:
  /// Tries a whole step, since a model may allocate in it.
  bool fits(std::size_t workers) {
    try {
      step_.resize(workers);
      step_.run(StepPart::backward);
      return true;
    } catch (std::bad_alloc const&) {
      step_.resize(1);
      return false;
    }
  }

  template <class Work>
  double milliseconds(Work const& work) const {
    std::int64_t const begin = clock_();
    work();
    return static_cast<double>(clock_() - begin) / 1e6;
  }

  /// A step that runs whole or not at all: a third of it counts as its forward pass.
  static void split(double (&up_to)[step_parts]) {
    up_to[1] = up_to[0];
    up_to[2] = up_to[0] + (up_to[3] - up_to[0]) / 3;
  }

  /// The times of one part, ascending.
  class Times {
   public:
    void add(double time) {
      std::size_t at = times_.size();
      while (at > 0 && times_[at - 1] > time) --at;
      times_.insert(times_.begin() + static_cast<std::ptrdiff_t>(at), time);
    }
    /// Of the fastest quarter. The phases are differences of such times, and where a machine is busy with
    /// something else as well, interrupted steps take longer by more than whole phases.
    double mean() const {
      std::size_t const count = (times_.size() + 3) / 4;
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += times_[i];
      return count == 0 ? 0 : sum / static_cast<double>(count);
    }

   private:
    std::vector<double> times_;
  };

  struct Measured {
    double up_to[step_parts] = {};  // each part
    double copies = 0;
  };

  /// The parts take turns, so that a disturbance falls on all of them.
  Measured measure(std::size_t workers) {
    Times parts[step_parts];
    Times of_copies;
    for (std::size_t step = 0; step < options_.warmup + options_.steps; ++step) {
      bool const counts = step >= options_.warmup;
      for (std::size_t part = 0; part < step_parts; ++part) {
        double const taken = milliseconds([&] { step_.run(static_cast<StepPart>(part)); });
        if (counts) parts[part].add(taken);
      }
      if (workers == 1) continue;
      double const taken = milliseconds([&] { step_.copy_weights(); });
      if (counts) of_copies.add(taken);
    }
    Measured measured{.copies = of_copies.mean()};
    for (std::size_t part = 0; part < step_parts; ++part) measured.up_to[part] = parts[part].mean();
    return measured;
  }

  bool is_whole() const {
    if constexpr (requires { step_.knows_parts(); }) {
      return !step_.knows_parts();
    } else {
      return false;
    }
  }
  /// Whether the passes took any time. Where something else kept the machine busy they may seem not to.
  bool has_passes(Measured const& measured) const {
    return is_whole() || (measured.up_to[3] > measured.up_to[1] && measured.up_to[3] > measured.up_to[0]);
  }

  ProfilePoint point(std::size_t workers) {
    constexpr int most_attempts = 5;
    Measured measured = measure(workers);
    for (int attempt = 1; attempt < most_attempts && !has_passes(measured); ++attempt)
      measured = measure(workers);
    auto& up_to = measured.up_to;
    double const copies = measured.copies;
    constexpr double shortest = 1e-6;  // a pass that takes no time at all would be no profile
    for (std::size_t part = 1; part < step_parts; ++part) {
      double const least = up_to[part - 1] + (part + 1 == step_parts ? shortest : 0);
      if (up_to[part] < least) up_to[part] = least;
    }
    if (is_whole()) split(up_to);
    return {.workers = workers,
            .data_ms = up_to[1] - up_to[0],
            .forward_ms = up_to[2] - up_to[1],
            .backward_ms = up_to[3] - up_to[2],
            .update_ms = up_to[0] > copies ? up_to[0] - copies : 0,
            .copy_ms = copies};
  }

  Step& step_;
  StepProfileOptions const& options_;
  Clock const& clock_;
};

}  // namespace detail

/// Measures a user's step with 1, 2, 4, .. workers and with as many as fit, each phase up to the slowest
/// worker. The phases are told apart by running the step only so far.
///
/// Blocks. Cost: four steps for each step that is counted, up to five times that on a busy machine. Errors:
/// what the step throws; a std::bad_alloc with more than one worker ends the search for the most workers and
/// is no error. Source: [iidp], which takes the mean over all steps.
template <ProfiledStep Step, class Clock = SystemClock>
LocalBatchProfile profile_step(Step& step, StepProfileOptions const& options, Clock const& clock = {}) {
  return detail::StepProfiler<Step, Clock>(step, options, clock).run();
}

}  // namespace weir::inline v1
