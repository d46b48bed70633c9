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
  };

  /// `executor_of(worker)` is of the device that a worker is on, `versions(stage)` what the store keeps.
  template <class ExecutorOf, class Versions>
  PipelineUnits(ExecutorOf const& executor_of, TableView const& table, LaneMap const& lanes,
                PipelineOptions const& options, Versions const& versions, PipelineWatch& watch,
                bool predicts = false)
      : lanes_(lanes),
        options_(options),
        watch_(watch),
        predicts_(predicts),
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
    for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
      if (!options.stages[stage].is_empty) add_stage(executor_of, stage, versions(stage));
    }
    for (TiedParameter const& tied : options.tied) add_tied(executor_of, tied);
    for (std::uint32_t stage = 0; stage < table.stages(); ++stage) list_parameters(stage);
  }

  std::size_t size() const { return units_.size(); }
  Unit& operator[](std::size_t unit) { return *units_[unit].unit; }
  Unit const& operator[](std::size_t unit) const { return *units_[unit].unit; }
  std::size_t first_stage(std::size_t unit) const { return units_[unit].first_stage; }
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
  };
  struct Reference {
    std::size_t unit = 0;
    std::size_t parameter = 0;
  };

  TiedParameter const* find_tied(std::size_t stage, std::size_t parameter) const {
    for (TiedParameter const& tied : options_.tied) {
      for (StageParameter const& member : tied) {
        if (member.stage == stage && member.parameter == parameter) return &tied;
      }
    }
    return nullptr;
  }

  template <class ExecutorOf>
  void add(ExecutorOf const& executor_of, std::vector<std::size_t> const& elements,
           std::vector<std::uint32_t> const& stages, std::size_t kept, std::uint32_t delay) {
    std::vector<Parameter> parameters;
    for (std::size_t const count : elements) parameters.push_back({count, element_type_of<Real>});
    typename Unit::Shape shape{.plan = BucketPlan::by_bytes(
                                   std::move(parameters), options_.first_bucket_bytes, options_.bucket_bytes),
                               .contributors = 0,
                               .local_batch = options_.local_batch,
                               .versions = kept,
                               .delay = delay,
                               .replicas = options_.replicas,
                               .predicts = predicts_};
    std::vector<std::uint32_t> lanes;
    for (std::uint32_t const stage : stages) {
      for (std::uint32_t direction = 0; direction < lanes_.directions(); ++direction) {
        std::uint32_t const lane = lanes_.lane(direction, stage);
        if (!lanes_.has(lane)) continue;
        lanes.push_back(lane);
        if (!lanes_.is_here(lane)) {
          throw ContractViolation("stage " + std::to_string(stage) + " is on worker " +
                                  std::to_string(lanes_.worker(lane)) +
                                  ", in another process, and on a worker of this one, or shares a parameter "
                                  "with a stage here: their gradients would have to be added here");
        }
        if (!lanes_.shares_memory(lanes.front(), lane)) {
          throw ContractViolation("stage " + std::to_string(stage) + " is on worker " +
                                  std::to_string(lanes_.worker(lane)) +
                                  ", on another device, and has a copy or shares a parameter with a stage on "
                                  "worker " +
                                  std::to_string(lanes_.worker(lanes.front())) +
                                  ": their gradients are added on one device only");
        }
        shape.readers.push_back(&watch_.bell(lanes_.worker(lane)));
      }
    }
    shape.contributors = lanes.size();
    units_.push_back({std::make_unique<Unit>(executor_of(lanes_.worker(lanes.front())), std::move(shape)),
                      stages.front()});
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      members_[lanes[i]].push_back(
          {units_.back().unit.get(), i, delay, stages.size() > 1, lanes_.stage(lanes[i]) == stages.front()});
    }
  }

  bool is_here(std::uint32_t stage) const {
    for (std::uint32_t direction = 0; direction < lanes_.directions(); ++direction) {
      if (lanes_.is_here(lanes_.lane(direction, stage))) return true;
    }
    return false;
  }

  template <class ExecutorOf>
  void add_stage(ExecutorOf const& executor_of, std::uint32_t stage, std::size_t kept) {
    if (!is_here(stage)) return;
    std::vector<std::size_t> elements;
    auto const& parameters = options_.stages[stage].parameters;
    places_[stage].resize(parameters.size());
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      if (find_tied(stage, p) != nullptr) continue;
      places_[stage][p] = {units_.size(), elements.size()};
      elements.push_back(parameters[p]);
    }
    if (!elements.empty()) add(executor_of, elements, {stage}, kept, versions_[stage].delay);
  }

  template <class ExecutorOf>
  void add_tied(ExecutorOf const& executor_of, TiedParameter const& tied) {
    auto const refuse = [](std::string const& text) { throw ContractViolation("a tied parameter " + text); };
    if (predicts_) refuse("cannot be predicted");
    if (tied.size() < 2) refuse("is one of two stages or more");
    std::vector<std::uint32_t> stages;
    std::uint32_t delay = 0;
    std::uint32_t live = 1;
    bool is_even = true;
    bool is_any_here = false;
    std::size_t elements = 0;
    for (auto const& [stage, parameter] : tied) {
      if (stage >= options_.stages.size() || parameter >= options_.stages[stage].parameters.size())
        refuse("of stage " + std::to_string(stage) + " and number " + std::to_string(parameter) +
               " is none that a stage layout has");
      if (!stages.empty() && stages.back() >= stage) refuse("names its stages in ascending order");
      std::size_t const here = options_.stages[stage].parameters[parameter];
      if (!stages.empty() && here != elements)
        refuse("has " + std::to_string(elements) + " elements in one stage and " + std::to_string(here) +
               " in stage " + std::to_string(stage));
      is_even = is_even && (stages.empty() || versions_[stage].delay == delay);
      elements = here;
      if (versions_[stage].delay > delay) delay = versions_[stage].delay;
      if (versions_[stage].live > live) live = versions_[stage].live;
      stages.push_back(static_cast<std::uint32_t>(stage));
      if (is_here(static_cast<std::uint32_t>(stage))) {
        places_[stage][parameter] = {units_.size(), 0};
        is_any_here = true;
      }
    }
    if (!is_even && delay > 1)
      refuse("is shared by stages whose updates are late by different numbers, of which one is " +
             std::to_string(delay) + "; at most 1 would be right");
    if (is_any_here) add(executor_of, {elements}, stages, live > delay ? live : delay + 1, delay);
  }

  /// Appends the parameters that this stage registers.
  void list_parameters(std::uint32_t stage) {
    if (options_.stages[stage].is_empty || !is_here(stage)) return;
    for (std::size_t p = 0; p < options_.stages[stage].parameters.size(); ++p) {
      TiedParameter const* const tied = find_tied(stage, p);
      if (tied == nullptr || tied->front().stage == stage) registered_.push_back(places_[stage][p]);
    }
  }

  LaneMap const& lanes_;
  PipelineOptions const& options_;
  PipelineWatch& watch_;
  bool predicts_;
  std::vector<StageVersions> versions_;
  std::uint32_t periods_;
  std::vector<std::vector<Membership>> members_;  // by lane
  std::vector<std::vector<Reference>> places_;    // by stage and parameter
  std::vector<Reference> registered_;
  std::vector<Entry> units_;
};

}  // namespace weir::inline v1::detail
