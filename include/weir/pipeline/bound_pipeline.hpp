#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/pipeline_core.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/stage/bind_options.hpp"
#include "weir/stage/checkpoint.hpp"
#include "weir/stage/loss_sum.hpp"
#include "weir/state/archive_scope.hpp"

namespace weir::inline v1 {

/// A pipeline whose parts are bound to recipes and to weights.
///
/// `sync(pipe(batch, model))` starts a run, of one flush or of the whole table where there is none, and
/// returns. Batch and model stay as they are until `drain`, which also puts the latest weights in the
/// caller's memory.
/// Errors: the first failure ends the run on all workers; it is thrown once, by `drain` or the next run.
/// Further runs are then refused until `reset`; the weights are those of each stage's last update. Where
/// these are not the same number, further runs and `reset` throw `TornStep` until `load` or `restored`.
template <class Pipeline, class Bound>
class BoundPipeline {
  using Unit = typename Pipeline::Unit;

 public:
  /// `recipe_of(unit)` gives the recipe of each unit.
  template <class RecipeOf, class Views>
  BoundPipeline(Pipeline& pipe, RecipeOf const& recipe_of, Views const& weights, BindOptions options)
      : pipe_(pipe) {
    if constexpr (takes_loss_scale_out()) {
      throw ContractViolation(
          "a recipe with LossScale in a pipeline, whose stages are not told by what to multiply the loss: "
          "its gradients would be divided by a scale that they do not have; a recipe without LossScale would "
          "be right");
    }
    auto& units = pipe_.core().units();
    units.bind(weights);
    for (std::size_t unit = 0; unit < units.size(); ++unit) {
      auto const recipe = recipe_of(unit);
      check_stages(recipe);
      recipe_bytes_ += recipe.template workspace_bytes<typename Pipeline::real_type>(
          units[unit].plan(), {.workers = units[unit].workers(), .local_batch = units[unit].local_batch()});
      bound_.push_back(
          std::unique_ptr<Bound>(new Bound(recipe.on(units[unit], units[unit].bound_weights(), options))));
      units[unit].set_update(
          bound_.back().get(),
          [](void* bound, Unit& of) {
            auto& called = *static_cast<Bound*>(bound);
            called(typename Unit::Launch{of});
            return called.started();
          },
          has_taken_effect);
    }
  }

  BoundPipeline(BoundPipeline const&) = delete;
  BoundPipeline& operator=(BoundPipeline const&) = delete;

  ~BoundPipeline() {
    wait_for_runs();
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) wait_for_count(pipe_.core().units()[unit]);
  }

  /// Starts a run and returns. Errors: rethrows the failure of an earlier one; `ContractViolation` if there
  /// was one and no `reset`, and for a batch that does not fit.
  template <class Launch>
  void operator()(Launch const& launch) {
    check();
    has_run_ = true;
    pipe_.start(launch);
  }

  /// Blocks until every run started so far has ended, all its periods on all stages, with their updates.
  /// Errors: rethrows the first failure, once.
  void drain() {
    settle();
    if (auto const failure = std::exchange(failure_, nullptr)) std::rethrow_exception(failure);
  }

  /// Counts runs that were replays of a captured one: a graph does not tell. Waits for them.
  void replayed(std::uint64_t runs = 1) {
    drain();
    pipe_.core().count_replays(runs);
    for (auto const& bound : bound_) bound->replayed(runs);
  }

  /// The losses of a batch with the latest weights, without any backward. Blocks. Errors: as for a run.
  template <class Launch>
  LossSum evaluate(Launch const& launch) {
    drain();
    check();
    LossSum const result = pipe_.evaluate(launch);
    drain();
    return result;
  }

  /// How many updates have been made to each part since it was bound or reset. After `drain`.
  std::vector<std::uint64_t> updates() {
    std::vector<std::uint64_t> counts;
    for (std::size_t unit = 0; unit < bound_.size(); ++unit)
      counts.push_back(pipe_.core().units()[unit].completed());
    return counts;
  }

  /// By part, the longest that an update has taken since the last call, from the last part of its gradient to
  /// its end: the reduction over replicas and the optimizer. On a host, else 0. Waits for the runs. Units:
  /// seconds.
  std::vector<double> take_update_times() {
    drain();
    std::vector<double> seconds;
    for (std::size_t unit = 0; unit < bound_.size(); ++unit)
      seconds.push_back(static_cast<double>(pipe_.core().units()[unit].take_longest_update()) * 1e-9);
    return seconds;
  }

  /// What the pipeline and its recipes have taken, all before the first run: besides what communicators
  /// reserve, and the scratch memory of recipes that sparsify. Units: bytes.
  std::size_t workspace_bytes() const { return pipe_.workspace_bytes() + recipe_bytes_; }

  /// The bound recipe of a part, between runs.
  Bound& recipe(std::size_t unit) { return *bound_[unit]; }
  std::size_t size() const { return bound_.size(); }

  /// Sets the learning rate of the runs started from now on. Waits for those before.
  void set_learning_rate(double rate) {
    drain();
    for (auto const& bound : bound_) bound->set_learning_rate(rate);
  }

  /// Makes a pipeline usable again that has failed, with the weights that are in the caller's memory. All
  /// processes of the pipeline call it. Errors: `TornStep`, if the weights belong to no step, in all
  /// processes.
  void reset() {
    settle();
    is_torn_ = !has_even_parts_everywhere();
    if (is_torn_) throw TornStep(torn_text());
    restart();
  }

  /// Says that the caller has changed the weights or, after a failure, restored them, in all processes. Waits
  /// for the runs before. Errors: rethrows a failure that nobody has been told of.
  void restored() {
    drain();
    restart();
  }

  /// Puts the latest weights, what the recipes remember and how many updates were made into an archive
  /// (`state/archive.hpp`). Waits for the runs before. Errors: as `drain`; `ContractViolation` after a
  /// failure, and between two flushes whose gradients are summed.
  void save(Archive& archive) {
    drain();
    check();
    auto& core = pipe_.core();
    core.checkpoint().save(archive, core.updates());
    core.save_selections(archive);
    archive.header() = {.element = name_of(element_type_of<typename Pipeline::real_type>)};
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) {
      core.units()[unit].settle_weights();
      ArchiveScope part(archive, part_name(unit));
      bound_[unit]->save(part);
      part.put_header();
      archive.header().layout_hash = 31 * archive.header().layout_hash + part.header().layout_hash;
      archive.header().world_size = part.header().world_size;
    }
  }

  /// Takes everything back, also after a failure; what follows has the bits of the run that was saved. Strict
  /// loading refuses another seed, local batch, replica, number of micro-batches of an update or delay, and
  /// what recipes refuse. Errors: `ArchiveError` that names the first field that differs; nothing has been
  /// changed then.
  void load(Archive const& archive, LoadOptions options = {}) {
    settle();
    auto& core = pipe_.core();
    auto const updates = core.checkpoint().check(archive, options);
    core.check_selections(archive, options);
    for (std::size_t unit = 0; unit < bound_.size(); ++unit)
      bound_[unit]->check(ArchiveScope(archive, part_name(unit)), options);
    core.reset(updates, has_failed_);
    core.load_selections(archive);
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) {
      bound_[unit]->load(ArchiveScope(archive, part_name(unit)), options);
      core.units()[unit].resume(updates);
    }
    forget_failure();
  }

 private:
  static constexpr bool takes_loss_scale_out() {
    if constexpr (requires { Bound::takes_loss_scale_out; }) return Bound::takes_loss_scale_out;
    return false;
  }

  /// Each part has a recipe of its own, which sees the gradient of that part.
  template <class Recipe>
  void check_stages(Recipe const& recipe) const {
    std::uint32_t const stages = pipe_.table().stages();
    auto const look = [&]<class Stage>(Stage const& stage) {
      if constexpr (requires { stage.needs_whole_gradient(); }) {
        if (stages > 1 && stage.needs_whole_gradient())
          throw ContractViolation(
              std::string(Stage::name) + " (" + stage.text() + ") in a pipeline of " +
              std::to_string(stages) +
              " stages: each part is updated by itself, and the norm of a part depends on where the model is "
              "cut; where that is meant, per_bucket would be right");
      }
    };
    std::apply([&](auto const&... stage) { (look(stage), ...); }, recipe.stages());
  }

  /// Whether a failure is known does not tell on a host: who waits for the recipe takes it, and may be first.
  static bool has_taken_effect(void* bound, [[maybe_unused]] std::uint64_t steps) {
    auto const& recipe = *static_cast<Bound const*>(bound);
    if constexpr (HostOrderedExecutor<typename Unit::executor_type>) {
      return recipe.steps() == steps;
    } else {
      return !recipe.has_failed();
    }
  }

  static std::string part_name(std::size_t unit) { return "part" + std::to_string(unit) + "."; }

  void check() {
    if (pipe_.core().watch().is_stopped()) drain();
    if (is_torn_) throw TornStep(torn_text());
    if (has_failed_) throw ContractViolation("this pipeline has failed: reset() would make it usable again");
  }

  std::string torn_text() {
    std::string counts;
    for (std::uint64_t const count : updates()) counts += (counts.empty() ? "" : " ") + std::to_string(count);
    return "the last run failed when some parts of this pipeline had been updated and others had not (" +
           counts +
           " updates in this process): load a checkpoint, or restore the weights and what the recipes "
           "remember, and call restored()";
  }

  /// The least and the most updates of a part, as far as they are whole.
  struct UpdateRange {
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
  };
  UpdateRange update_range() {
    UpdateRange range;
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) {
      std::uint64_t const count = pipe_.core().units()[unit].completed();
      bool const is_torn = bound_[unit]->is_torn();
      range.least = detail::smaller(range.least, is_torn ? 0 : count);
      range.most = detail::larger(range.most, is_torn ? UINT64_MAX : count);
    }
    return range;
  }
  bool has_even_parts() {
    UpdateRange const range = update_range();
    return range.least >= range.most;
  }
  bool has_even_parts_everywhere() {
    UpdateRange const range = update_range();
    if (is_torn_) return pipe_.core().traffic().agree(0, UINT64_MAX);
    return pipe_.core().traffic().agree(range.least, range.most);
  }

  void wait_for_runs() noexcept {
    if constexpr (Bound::is_watched) {
      pipe_.wait_for_workers([this] {
        for (auto const& bound : bound_) {
          if (!bound->has_failed()) bound->watch();
        }
      });
    } else {
      pipe_.wait_for_workers();
    }
  }

  void settle() {
    wait_for_runs();
    auto& core = pipe_.core();
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) {
      try {
        bound_[unit]->wait();
      } catch (...) {
        keep(at_update(unit, std::current_exception()));
      }
      wait_for_count(core.units()[unit]);
    }
    if (has_failed_) core.traffic().cancel();
    if (!core.watch().is_stopped()) {
      for (std::size_t worker = 0; worker < core.watch().workers(); ++worker)
        core.traffic().check_left_over(worker, UINT32_MAX);
    }
    if (core.watch().is_stopped()) {
      has_failed_ = true;
      auto const failure = core.watch().take_failure();
      bool const is_known = failure == nullptr || (failure_ != nullptr && is_consequence(failure));
      if (!is_known) failure_ = failure;
    }
    is_torn_ = is_torn_ || (has_failed_ && !has_even_parts());
    if (!std::exchange(has_run_, false)) return;
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) core.units()[unit].export_weights();
  }

  /// The update is counted behind it on its stream.
  static void wait_for_count(Unit& unit) noexcept {
    try {
      unit.executor().synchronize();
    } catch (...) {  // what recipes throw is theirs to tell
    }
  }

  void forget_failure() {
    failure_ = nullptr;
    has_failed_ = false;
    is_torn_ = false;
  }

  void restart() {
    pipe_.core().reset(0, has_failed_);
    forget_failure();
    for (std::size_t unit = 0; unit < bound_.size(); ++unit) {
      pipe_.core().units()[unit].restart();
      bound_[unit]->restored();
    }
  }

  /// Whether it only tells that somebody has given up, as a recipe of this very pipeline does.
  static bool is_consequence(std::exception_ptr const& failure) noexcept {
    try {
      std::rethrow_exception(failure);
    } catch (PipelineError const& error) {
      return error.cause() != nullptr && is_consequence(error.cause());
    } catch (PeerAborted const&) {
      return true;
    } catch (...) {
      return false;
    }
  }

  void keep(std::exception_ptr failure) {
    has_failed_ = true;
    if (failure_ == nullptr || is_consequence(failure_)) failure_ = std::move(failure);
  }

  std::exception_ptr at_update(std::size_t unit, std::exception_ptr cause) {
    auto& core = pipe_.core();
    Operation operation{OperationKind::update};
    operation.stage = static_cast<std::uint16_t>(core.units().first_stage(unit));
    operation.micro_batch = static_cast<std::uint32_t>(core.units()[unit].completed());
    return std::make_exception_ptr(PipelineError(core.units().worker(unit), operation, std::move(cause)));
  }

  Pipeline& pipe_;
  std::vector<std::unique_ptr<Bound>> bound_;
  std::size_t recipe_bytes_ = 0;
  std::exception_ptr failure_;
  bool has_failed_ = false;
  bool is_torn_ = false;
  bool has_run_ = false;  // since the last `settle`
};

}  // namespace weir::inline v1
