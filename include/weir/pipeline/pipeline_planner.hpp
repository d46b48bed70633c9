#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1::detail {

/// How many runs and updates there have been, and what the next run is.
class RunPlanner {
 public:
  explicit RunPlanner(PipelineOptions const& options) : options_(options) {}

  /// `samples_of_all`: of all replicas, without those that are dropped; 0: as many on each as here.
  /// Errors: `ContractViolation` for more samples than the table has micro-batches for, for a number of all
  /// that cannot be, and, where there is no flush, for a remainder that is not allowed.
  PipelineRun training(TableView const& table, std::size_t samples, std::size_t samples_of_all = 0) {
    PipelineRun run = next(table, samples);
    if (table.synchronous()) {
      run.periods = 1;
      run.first_version = flushes_ / options_.flushes_per_update;
      run.flush = flushes_ % options_.flushes_per_update;
      run.samples_of_all = all_samples(table, run, samples_of_all);
      if (run.flush != 0) run.samples_of_all += samples_of_flushes_;
      samples_of_flushes_ = run.samples_of_all;
      run.is_update = ++flushes_ % options_.flushes_per_update == 0;
      return numbered(run);
    }
    std::uint32_t const rest = run.micro_batches % table.period();
    if (rest != 0) {
      if (options_.remainder == Remainder::error)
        throw ContractViolation(std::to_string(run.micro_batches) +
                                " micro-batches, which is no multiple of the " +
                                std::to_string(table.period()) +
                                " of an update; say by PipelineOptions::remainder what becomes of the rest");
      if (options_.remainder == Remainder::drop) run.micro_batches -= rest;
    }
    run.periods = (run.micro_batches + table.period() - 1) / table.period();
    run.samples_of_all = all_samples(table, run, samples_of_all);
    run.first_version = updates_;
    updates_ += run.periods;
    return numbered(run);
  }

  PipelineRun evaluation(TableView const& table, std::size_t samples) {
    PipelineRun run = next(table, samples);
    run.is_evaluation = true;
    run.first_version = table.synchronous() ? flushes_ / options_.flushes_per_update : updates_;
    return numbered(run);
  }

  /// Of the update of a period.
  std::size_t micro_batches(TableView const& table, PipelineRun const& run, std::uint32_t period) const {
    if (table.synchronous()) return table.micro_batches() * options_.flushes_per_update;
    std::uint32_t const rest = run.micro_batches - period * table.period();
    return rest < table.period() ? rest : table.period();
  }

  /// Of all replicas, in the update of a period; 0: not known. All updates of a run but its last one are over
  /// whole micro-batches, on each of them.
  std::size_t samples_of_all(TableView const& table, PipelineRun const& run, std::uint32_t period) const {
    if (table.synchronous() || run.samples_of_all == 0) return run.samples_of_all;
    std::size_t const whole = samples_of_period(table);
    return period + 1 < run.periods ? whole : run.samples_of_all - (run.periods - 1) * whole;
  }

  /// Of the runs planned so far. Errors: `ContractViolation` between two flushes of one.
  std::uint64_t updates(TableView const& table) const {
    if (!table.synchronous()) return updates_;
    if (flushes_ % options_.flushes_per_update != 0)
      throw ContractViolation("save: " + std::to_string(flushes_ % options_.flushes_per_update) +
                              " flushes of an update of " + std::to_string(options_.flushes_per_update) +
                              " have run; after the last one would be right");
    return flushes_ / options_.flushes_per_update;
  }
  /// After a failure, when processes may have started one run more, or less, than others.
  void number_anew() { runs_ = 0; }
  void go_on_from(std::uint64_t updates) {
    flushes_ = updates * options_.flushes_per_update;
    updates_ = updates;
  }

 private:
  /// Of all replicas, in a run; 0: not known. `told`: by the caller, if not 0.
  std::size_t all_samples(TableView const& table, PipelineRun const& run, std::size_t told) const {
    std::size_t const kept = run.micro_batches * options_.local_batch;
    std::size_t const own = run.samples < kept ? run.samples : kept;
    if (told == 0) return own * options_.replicas;
    std::size_t const whole = samples_of_period(table);
    std::size_t const before = run.periods < 2 ? 0 : (run.periods - 1) * whole;
    std::size_t const least = own > before ? own : before + 1;
    std::size_t const most = run.periods * whole;
    if (least <= told && told <= most) return told;
    std::string text = std::to_string(told) + " samples of all replicas in a run";
    if (options_.replicas == 0)
      throw ContractViolation(text + ": PipelineOptions::replicas has to say how many these are");
    text += ", of which " + std::to_string(own) + " are here; ";
    if (most == 0) throw ContractViolation(text + "as many updates on each would be right");
    throw ContractViolation(text + std::to_string(least) + " to " + std::to_string(most) + " would be right");
  }

  /// Of all replicas at most.
  std::size_t samples_of_period(TableView const& table) const {
    std::size_t const micro_batches = table.synchronous() ? table.micro_batches() : table.period();
    return micro_batches * options_.local_batch * options_.replicas;
  }

  PipelineRun next(TableView const& table, std::size_t samples) {
    PipelineRun run;
    std::size_t const batch = options_.local_batch;
    std::size_t const count = (samples + batch - 1) / batch;
    if (count > table.micro_batches()) {
      throw ContractViolation("a batch of " + std::to_string(samples) + " samples, but the pipeline takes " +
                              std::to_string(table.micro_batches() * batch) + " per run");
    }
    run.micro_batches = static_cast<std::uint32_t>(count);
    run.local_batch = batch;
    run.samples = samples;
    if (options_.records_times) run.begin = std::chrono::steady_clock::now();
    return run;
  }

  /// A run that is refused has no number.
  PipelineRun numbered(PipelineRun run) {
    run.number = runs_++;
    return run;
  }

  PipelineOptions const& options_;
  std::uint32_t runs_ = 0;
  std::uint64_t flushes_ = 0;
  std::uint64_t updates_ = 0;           // where there is no flush
  std::size_t samples_of_flushes_ = 0;  // of all replicas, in those of the update under way
};

}  // namespace weir::inline v1::detail
