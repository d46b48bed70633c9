#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/parameter_unit.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/pipeline/weight_parts.hpp"
#include "weir/pipeline/weight_versions.hpp"
#include "weir/stage/weights.hpp"

namespace weir::inline v1::detail {

/// All parameters of a pipeline, in parts that are updated by themselves, and who reads and makes what.
template <Executor E, class Real>
class PipelineUnits {
 public:
  using Unit = ParameterUnit<E, Real>;
  using Place = typename StageLane<E, Real>::Place;

  /// What a lane has to do with a unit.
  struct Membership {
    Unit* unit = nullptr;
    std::size_t contributor = 0;
    std::uint32_t delay = 0;
    bool is_tied = false;
    bool counts_samples = true;  // of several stages that share a parameter, the first
    std::uint16_t link = 0;      // of the part
  };

  /// `executor_of(worker)` is of the device that a worker is on, `versions(stage)` what the store keeps.
  /// `sends_gradients`: to other processes.
  template <class ExecutorOf, class Versions>
  PipelineUnits(ExecutorOf const& executor_of, TableView const& table, LaneMap const& lanes,
                PipelineOptions const& options, Versions const& versions, PipelineWatch& watch,
                bool predicts = false, bool sends_gradients = false)
      : lanes_(lanes),
        options_(options),
        watch_(watch),
        predicts_(predicts),
        sends_gradients_(sends_gradients),
        versions_(weight_versions(table)),
        periods_((table.micro_batches() + table.period() - 1) / table.period()),
        members_(lanes.lanes()),
        places_(options.stages.size()) {
    for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
      std::uint32_t const kept = versions(stage);
      if (kept < versions_[stage].live) {
        throw ContractViolation(
            "stage " + std::to_string(stage) + " needs " + std::to_string(versions_[stage].live) +
            " versions of its weights at a time, the store keeps " + std::to_string(kept));
      }
    }
    if (predicts_ && !options.tied.empty()) refuse_tied("cannot be predicted");
    for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
      if (!options.stages[stage].is_empty) places_[stage].resize(options.stages[stage].parameters.size());
    }
    for (WeightPart const& part : weight_parts(lanes, options)) {
      if (part.link != 0) {
        add_tied(executor_of, part);
      } else {
        std::uint32_t const stage = part.stages.front();
        add(executor_of, part, versions(stage), versions_[stage].delay);
      }
    }
    for (std::uint32_t stage = 0; stage < table.stages(); ++stage) list_parameters(stage);
  }

  std::size_t size() const { return units_.size(); }
  Unit& operator[](std::size_t unit) { return *units_[unit].unit; }
  Unit const& operator[](std::size_t unit) const { return *units_[unit].unit; }
  /// Of those that have it, wherever they are.
  std::size_t first_stage(std::size_t unit) const { return units_[unit].first_stage; }
  /// The first of this process that adds to its gradient.
  std::uint32_t worker(std::size_t unit) const { return units_[unit].worker; }
  std::uint32_t periods() const { return periods_; }
  std::vector<Membership> const& of_lane(std::size_t lane) const { return members_[lane]; }

  /// The parameters of a lane's stage.
  std::vector<Place> places(std::uint32_t lane) const {
    std::vector<Place> places;
    for (auto const& [unit, parameter] : places_[lanes_.stage(lane)]) {
      for (Membership const& member : members_[lane]) {
        if (member.unit == units_[unit].unit.get())
          places.push_back({member.unit, parameter, member.contributor, member.delay, member.is_tied});
      }
    }
    return places;
  }

  /// Gives each unit its part of the caller's weights, which are in registration order.
  /// Errors: `ContractViolation` if sizes do not fit.
  template <class Views>
  void bind(Views const& views) {
    std::vector<Parameter> parameters;
    for (auto const& [unit, parameter] : registered_)
      parameters.push_back(units_[unit].unit->plan().parameter(parameter));
    BucketPlan const plan = BucketPlan::per_parameter(std::move(parameters));
    Weights<E, Real> const weights(views, plan);
    std::vector<std::vector<ViewOn<Real, E>>> of_unit(units_.size());
    for (std::size_t unit = 0; unit < units_.size(); ++unit)
      of_unit[unit].resize(units_[unit].unit->plan().parameters());
    for (std::size_t i = 0; i < registered_.size(); ++i) {
      auto const& [unit, parameter] = registered_[i];
      check_memory(units_[unit].unit->executor(), weights[i].data(), "the weights");
      of_unit[unit][parameter] = weights[i];
    }
    for (std::size_t unit = 0; unit < units_.size(); ++unit)
      units_[unit].unit->bind(std::move(of_unit[unit]));
  }

 private:
  struct Entry {
    std::unique_ptr<Unit> unit;
    std::size_t first_stage = 0;
    std::uint32_t worker = 0;
  };
  struct Reference {
    std::size_t unit = 0;
    std::size_t parameter = 0;
  };

  /// If a lane that adds to its gradient is in this process.
  template <class ExecutorOf>
  void add(ExecutorOf const& executor_of, WeightPart const& part, std::size_t kept, std::uint32_t delay) {
    std::uint32_t home = none;  // the first lane of this process
    for (std::uint32_t const lane : part.lanes) {
      if (home == none && lanes_.is_here(lane)) home = lane;
    }
    if (home == none) return;
    std::vector<Parameter> parameters;
    for (std::size_t p = 0; p < part.parameters.size(); ++p) {
      parameters.push_back({part.parameters[p].elements, element_type_of<Real>});
      for (auto const& [stage, parameter] : part.parameters[p].places) {
        if (is_here(static_cast<std::uint32_t>(stage))) places_[stage][parameter] = {units_.size(), p};
      }
    }
    typename Unit::Shape shape{.plan = BucketPlan::by_bytes(
                                   std::move(parameters), options_.first_bucket_bytes, options_.bucket_bytes),
                               .contributors = part.lanes.size(),
                               .local_batch = options_.local_batch,
                               .versions = kept,
                               .delay = delay,
                               .predicts = predicts_};
    for (std::uint32_t const lane : part.lanes) {
      check_place(lane, home);
      if (lanes_.is_here(lane)) shape.readers.push_back(&watch_.bell(lanes_.worker(lane)));
    }
    std::uint32_t const worker = lanes_.worker(home);
    units_.push_back(
        {std::make_unique<Unit>(executor_of(worker), std::move(shape)), part.stages.front(), worker});
    for (std::size_t i = 0; i < part.lanes.size(); ++i) {
      members_[part.lanes[i]].push_back({units_.back().unit.get(), i, delay, part.stages.size() > 1,
                                         lanes_.stage(part.lanes[i]) == part.stages.front(), part.link});
    }
  }

  /// Of a lane that adds to the same gradient as one that is here.
  void check_place(std::uint32_t lane, std::uint32_t home) const {
    std::string const who = "stage " + std::to_string(lanes_.stage(lane)) + " is on worker " +
                            std::to_string(lanes_.worker(lane));
    if (!lanes_.is_here(lane)) {
      if (sends_gradients_) return;
      throw ContractViolation(who +
                              ", in another process, and on a worker of this one, or shares a parameter with "
                              "a stage here: only a RemoteTransport takes their gradients along");
    }
    if (lanes_.shares_memory(home, lane)) return;
    throw ContractViolation(
        who + ", on another device, and has a copy or shares a parameter with a stage on worker " +
        std::to_string(lanes_.worker(home)) + ": their gradients are added on one device only");
  }

  bool is_here(std::uint32_t stage) const {
    for (std::uint32_t direction = 0; direction < lanes_.directions(); ++direction) {
      if (lanes_.is_here(lanes_.lane(direction, stage))) return true;
    }
    return false;
  }

  template <class ExecutorOf>
  void add_tied(ExecutorOf const& executor_of, WeightPart const& part) {
    std::uint32_t delay = 0;
    std::uint32_t live = 1;
    bool is_even = true;
    for (std::uint32_t const stage : part.stages) {
      is_even = is_even && versions_[stage].delay == versions_[part.stages.front()].delay;
      if (versions_[stage].delay > delay) delay = versions_[stage].delay;
      if (versions_[stage].live > live) live = versions_[stage].live;
    }
    if (!is_even && delay > 1)
      refuse_tied("is shared by stages whose updates are late by different numbers, of which one is " +
                  std::to_string(delay) + "; at most 1 would be right");
    add(executor_of, part, live > delay ? live : delay + 1, delay);
  }

  /// Appends the parameters that this stage registers: of a tied one, the first of its stages that is here.
  void list_parameters(std::uint32_t stage) {
    if (options_.stages[stage].is_empty || !is_here(stage)) return;
    for (std::size_t p = 0; p < options_.stages[stage].parameters.size(); ++p) {
      TiedParameter const* const tied = find_tied(options_, stage, p);
      if (tied == nullptr || first_here(*tied) == stage) registered_.push_back(places_[stage][p]);
    }
  }

  std::size_t first_here(TiedParameter const& tied) const {
    std::size_t i = 0;
    while (!is_here(static_cast<std::uint32_t>(tied[i].stage))) ++i;
    return tied[i].stage;
  }

  static constexpr std::uint32_t none = UINT32_MAX;

  LaneMap const& lanes_;
  PipelineOptions const& options_;
  PipelineWatch& watch_;
  bool predicts_;
  bool sends_gradients_;
  std::vector<StageVersions> versions_;
  std::uint32_t periods_;
  std::vector<std::vector<Membership>> members_;  // by lane
  std::vector<std::vector<Reference>> places_;    // by stage and parameter
  std::vector<Reference> registered_;
  std::vector<Entry> units_;
};

}  // namespace weir::inline v1::detail
