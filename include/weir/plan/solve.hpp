#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/plan/plan.hpp"
#include "weir/plan/time_model.hpp"
#include "weir/plan/unit_split.hpp"

namespace weir::inline v1 {

/// What a plan is wanted for.
struct PlanRequest {
  std::size_t global_batch = 0;
  std::size_t unit = 1;         // neighbouring devices of a server that get the same work
  std::size_t local_batch = 0;  // 0: the one with the best throughput
  WeightPolicy weight_sync = WeightPolicy::overlap;
  bool equal_shares = false;  // as much work for every device, slow or not: to compare with
};

namespace detail {

class PlanSolver {
 public:
  PlanSolver(TimeModel const& model, PlanRequest const& request) : model_(model), request_(request) {
    check();
    for (std::size_t server = 0; server < model_.servers(); ++server) place(server);
  }

  Plan solve() const {
    Plan best{.global_batch = request_.global_batch, .weight_sync = request_.weight_sync};
    for (std::size_t const local_batch : local_batches()) {
      std::string const obstacle = obstacle_to(local_batch);
      if (!obstacle.empty()) {
        best.reason += (best.reason.empty() ? "" : "; ") +
                       ("local batch " + std::to_string(local_batch) + ": " + obstacle);
        continue;
      }
      Plan plan = split(local_batch);
      if (!best.feasible || plan.seconds_per_step < best.seconds_per_step) best = std::move(plan);
    }
    if (best.feasible) best.reason.clear();
    return best;
  }

 private:
  /// Servers whose devices take the same time for the same work.
  struct Kind {
    std::size_t server;  // one of them
    std::size_t units;
  };

  void check() const {
    if (request_.global_batch == 0) throw ContractViolation("batch 0: at least 1 would be right");
    if (request_.unit == 0) throw ContractViolation("unit 0: at least 1 would be right");
    for (ServerProfile const& server : model_.profile().cluster) {
      if (server.count % request_.unit == 0) continue;
      throw ContractViolation("unit " + std::to_string(request_.unit) + ": " + server.server + " has " +
                              std::to_string(server.count) +
                              " devices; a number that divides those of every server would be right");
    }
    if (request_.local_batch == 0) return;
    for (DeviceProfile const& device : model_.profile().devices) {
      if (find_local_batch(device, request_.local_batch) != nullptr) return;
    }
    throw ContractViolation("local batch " + std::to_string(request_.local_batch) +
                            ": no device was measured with it");
  }

  void place(std::size_t server) {
    std::size_t const units = model_.profile().cluster[server].count / request_.unit;
    std::size_t kind = 0;
    while (kind < kinds_.size() && !are_alike(kinds_[kind].server, server)) ++kind;
    if (kind == kinds_.size()) kinds_.push_back({server, 0});
    kinds_[kind].units += units;
    kind_of_server_.push_back(kind);
  }
  bool are_alike(std::size_t left, std::size_t right) const {
    return &model_.device_of(left) == &model_.device_of(right) &&
           model_.bucket_seconds(left) == model_.bucket_seconds(right);
  }

  /// Those of all devices of the cluster, ascending.
  std::vector<std::size_t> local_batches() const {
    if (request_.local_batch != 0) return {request_.local_batch};
    std::vector<std::size_t> sizes;
    for (Kind const& kind : kinds_) {
      for (LocalBatchProfile const& batch : model_.device_of(kind.server).local_batches) {
        std::size_t at = 0;
        while (at < sizes.size() && sizes[at] < batch.size) ++at;
        if (at < sizes.size() && sizes[at] == batch.size) continue;
        sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(at), batch.size);
      }
    }
    return sizes;
  }

  /// Why no plan has this local batch; empty if one does.
  std::string obstacle_to(std::size_t local_batch) const {
    for (Kind const& kind : kinds_) {
      DeviceProfile const& device = model_.device_of(kind.server);
      if (find_local_batch(device, local_batch) == nullptr) return "not profiled on " + device.name;
    }
    std::string const batch = std::to_string(request_.global_batch);
    if (request_.global_batch % local_batch != 0) return "does not divide " + batch;
    std::size_t const micro_batches = request_.global_batch / local_batch;
    std::string const workers = std::to_string(micro_batches) + (micro_batches == 1 ? " worker" : " workers");
    if (micro_batches < model_.ranks()) {
      return "at most " + workers + " for a batch of " + batch + ", fewer workers than devices (" +
             std::to_string(model_.ranks()) + ")";
    }
    if (micro_batches % request_.unit != 0)
      return workers + ", not a multiple of the unit (" + std::to_string(request_.unit) + ")";
    if (request_.equal_shares && micro_batches % model_.ranks() != 0)
      return workers + ", not a multiple of the devices (" + std::to_string(model_.ranks()) + ")";
    return {};
  }

  Plan split(std::size_t local_batch) const {
    std::size_t const work = request_.global_batch / local_batch / request_.unit;
    std::vector<UnitKind> unit_kinds;
    for (Kind const& kind : kinds_) unit_kinds.push_back(unit_kind(kind, local_batch, work));
    auto const shares =
        request_.equal_shares ? equal_shares(unit_kinds, work) : UnitSplit(unit_kinds, work).solve();

    Plan plan{.feasible = true,
              .global_batch = request_.global_batch,
              .local_batch = local_batch,
              .weight_sync = request_.weight_sync};
    std::vector<std::size_t> used(kinds_.size());  // shares, by kind
    for (std::size_t server = 0; server < model_.servers(); ++server) {
      std::size_t const kind = kind_of_server_[server];
      for (std::size_t i = 0; i < model_.profile().cluster[server].count; i += request_.unit) {
        UnitShare const& share = shares[kind][used[kind]++];
        for (std::size_t device = 0; device < request_.unit; ++device)
          plan.ranks.push_back({share.workers, share.micro_batches, local_batch});
        if (share.seconds > plan.seconds_per_step) plan.seconds_per_step = share.seconds;
        add_to_groups(plan.groups, model_.device_of(server).name, share);
      }
    }
    return plan;
  }

  static std::vector<std::vector<UnitShare>> equal_shares(std::vector<UnitKind> const& kinds,
                                                          std::size_t work) {
    std::size_t units = 0;
    for (UnitKind const& kind : kinds) units += kind.count;
    std::vector<std::vector<UnitShare>> shares;
    for (UnitKind const& kind : kinds) shares.emplace_back(kind.count, UnitSplit::share(kind, work / units));
    return shares;
  }

  UnitKind unit_kind(Kind const& kind, std::size_t local_batch, std::size_t work) const {
    UnitKind unit{.count = kind.units};
    std::size_t const max_workers = find_local_batch(model_.device_of(kind.server), local_batch)->max_workers;
    for (std::size_t workers = 1; workers <= max_workers && workers <= work; ++workers) {
      StepPhases const phases = model_.phases(kind.server, local_batch, workers, request_.weight_sync);
      unit.by_workers.push_back({phases.first(), phases.further()});
    }
    return unit;
  }

  /// Keeps the groups of one device together, in the order of the cluster.
  void add_to_groups(std::vector<PlanGroup>& groups, std::string const& device,
                     UnitShare const& share) const {
    PlanGroup const added{device, request_.unit, share.workers, share.micro_batches};
    std::size_t at = 0;
    while (at < groups.size() && groups[at].device != device) ++at;
    for (; at < groups.size() && groups[at].device == device && !comes_before(added, groups[at]); ++at) {
      if (groups[at].workers != added.workers || groups[at].micro_batches != added.micro_batches) continue;
      groups[at].count += added.count;
      return;
    }
    groups.insert(groups.begin() + static_cast<std::ptrdiff_t>(at), added);
  }
  static bool comes_before(PlanGroup const& left, PlanGroup const& right) {
    std::size_t const of_left = left.workers * left.micro_batches;
    std::size_t const of_right = right.workers * right.micro_batches;
    return of_left != of_right ? of_left > of_right : left.workers > right.workers;
  }

  TimeModel const& model_;
  PlanRequest const& request_;
  std::vector<Kind> kinds_;
  std::vector<std::size_t> kind_of_server_;
};

}  // namespace detail

/// The plan with the smallest step time for a global batch, among all that give every device of a unit the
/// same number of workers and micro-batches, and every device the same local batch. That no plan exists is an
/// answer, with its reason.
///
/// Cost: below a millisecond for a few kinds of devices and batches of up to a million samples. Allocates.
/// Errors: `ContractViolation` for a batch or unit of 0, a unit that does not divide the devices of a server,
/// and a local batch that no device was measured with.
/// Source: [iidp]; there a greedy search, which is up to 7 % slower.
inline Plan solve(TimeModel const& model, PlanRequest const& request) {
  return detail::PlanSolver(model, request).solve();
}

}  // namespace weir::inline v1
