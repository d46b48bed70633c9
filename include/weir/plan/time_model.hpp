#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/plan/all_reduce_fit.hpp"
#include "weir/plan/line_fit.hpp"
#include "weir/plan/profile.hpp"
#include "weir/plan/step_phases.hpp"
#include "weir/plan/throughput_fit.hpp"
#include "weir/plan/validate_profile.hpp"
#include "weir/stage/context.hpp"
#include "weir/stage/weight_policy.hpp"

namespace weir::inline v1 {

/// Predicts how long a step takes on the cluster of a profile. Units: seconds.
///
/// Not modelled: the pass that sums the workers, contention, jitter. Source: [iidp], whose rounding it keeps
/// where the profile says so.
class TimeModel {
 public:
  /// Errors: `ContractViolation` with the first error of `validate`.
  explicit TimeModel(Profile profile) : profile_(checked(std::move(profile))) {
    ranks_ = profile_.device_count();
    for (double const size : profile_.buckets_mib) total_mib_ += size;
    for (ServerProfile const& server : profile_.cluster) {
      std::size_t device = 0;
      while (profile_.devices[device].name != server.device) ++device;
      servers_.push_back({device, bucket_seconds_of(server)});
    }
    for (DeviceProfile const& device : profile_.devices) {
      fits_.emplace_back();
      for (LocalBatchProfile const& batch : device.local_batches)
        fits_.back().emplace_back(batch, profile_.rounding);
    }
  }

  Profile const& profile() const { return profile_; }
  /// G
  std::size_t ranks() const { return ranks_; }
  std::size_t servers() const { return servers_.size(); }
  /// The server that a rank is in.
  std::size_t server_of(std::size_t rank) const {
    std::size_t server = 0;
    for (; rank >= profile_.cluster[server].count; ++server) rank -= profile_.cluster[server].count;
    return server;
  }
  DeviceProfile const& device_of(std::size_t server) const {
    return profile_.devices[servers_[server].device];
  }

  /// A_j, by bucket: the all-reduce as the devices of a server see it.
  std::vector<double> const& bucket_seconds(std::size_t server) const { return servers_[server].buckets; }

  /// How the throughput of a server's devices grows with their workers.
  /// Errors: `ContractViolation` for a local batch that was not measured on them.
  ThroughputFit const& throughput(std::size_t server, std::size_t local_batch) const {
    return fits_[servers_[server].device][batch_index(server, local_batch)];
  }

  /// The phases of a step on a device of `server`, each of whose workers takes `local_batch` samples.
  /// Errors: as `throughput`, and where the number of workers was neither measured nor can be fitted.
  StepPhases phases(std::size_t server, std::size_t local_batch, std::size_t workers,
                    WeightPolicy policy) const {
    LocalBatchProfile const& batch = device_of(server).local_batches[batch_index(server, local_batch)];
    ThroughputFit const& fit = throughput(server, local_batch);
    ProfilePoint const* one = nullptr;
    ProfilePoint const* measured = nullptr;
    ProfilePoint const* top = nullptr;
    for (ProfilePoint const& point : batch.points) {
      if (point.workers == 1) one = &point;
      if (point.workers == workers) measured = &point;
      if (top == nullptr || point.workers > top->workers) top = &point;
    }
    double const k = static_cast<double>(workers);
    double const both = fit.seconds(workers);
    double const forward = both * (top->forward_ms / (top->forward_ms + top->backward_ms));
    double const copies =
        top->workers == 1 ? 0.0 : top->copy_ms / 1000 / static_cast<double>(top->workers - 1);
    std::vector<double> const& buckets = servers_[server].buckets;
    StepPhases phases{
        .data = measured != nullptr ? measured->data_ms / 1000 : k * one->data_ms / 1000,
        .buffers = k * profile_.buffer_sync_ms / 1000,
        .forward = forward,
        .backward = both - forward,
        .last_bucket = buckets.back(),
        .update = top->update_ms / 1000 + (policy == WeightPolicy::shared ? 0.0 : copies * (k - 1)),
        .exposed = policy == WeightPolicy::sequential ? 1.0 : profile_.buckets_mib.back() / total_mib_};
    for (std::size_t j = 0; j + 1 < buckets.size(); ++j) phases.hidden += buckets[j];
    return phases;
  }

  /// T of one device.
  double seconds(std::size_t server, WorkLayout const& layout, WeightPolicy policy) const {
    return phases(server, layout.local_batch, layout.workers, policy).seconds(layout.micro_batches);
  }

  /// Of a step with a layout for each rank: that of the slowest.
  /// Errors: `ContractViolation` if there are not as many layouts as ranks.
  double seconds(std::span<WorkLayout const> layouts, WeightPolicy policy) const {
    check_count(layouts.size());
    double slowest = 0;
    std::size_t rank = 0;
    for (std::size_t server = 0; server < servers_.size(); ++server) {
      for (std::size_t i = 0; i < profile_.cluster[server].count; ++i, ++rank) {
        double const own = seconds(server, layouts[rank], policy);
        if (own > slowest) slowest = own;
      }
    }
    return slowest;
  }

  void check_count(std::size_t layouts) const {
    if (layouts == ranks_) return;
    throw ContractViolation(std::to_string(layouts) + " layouts for a cluster of " + std::to_string(ranks_) +
                            " devices; one each would be right");
  }

 private:
  struct Server {
    std::size_t device;
    std::vector<double> buckets;  // seconds
  };

  static Profile checked(Profile profile) {
    auto const errors = validate(profile);
    if (!errors.empty()) throw ContractViolation(errors.front().text());
    return profile;
  }

  std::size_t batch_index(std::size_t server, std::size_t local_batch) const {
    DeviceProfile const& device = device_of(server);
    for (std::size_t i = 0; i < device.local_batches.size(); ++i) {
      if (device.local_batches[i].size == local_batch) return i;
    }
    throw ContractViolation("local batch " + std::to_string(local_batch) + " was not measured on " +
                            device.name);
  }

  std::vector<double> bucket_seconds_of(ServerProfile const& server) const {
    std::vector<double> seconds(profile_.buckets_mib.size());
    if (ranks_ == 1) return seconds;
    bool const is_inter = profile_.cluster.size() >= 2;
    AllReduceProfile const& all_reduce = is_inter ? profile_.inter : profile_.intra;
    LineFit const line = fit_all_reduce(all_reduce);
    double const bandwidth = is_inter ? server.inter_bytes_per_second : server.intra_bytes_per_second;
    double const devices = static_cast<double>(ranks_);
    for (std::size_t j = 0; j < seconds.size(); ++j) {
      double const bytes = profile_.buckets_mib[j] * 1048576;
      double const milliseconds = line(ideal_all_reduce_ms(bytes, devices, bandwidth));
      seconds[j] = milliseconds > 0 ? milliseconds / 1000 : 0;  // a line may fall below 0 for small buckets
    }
    return seconds;
  }

  Profile profile_;
  std::size_t ranks_ = 0;
  double total_mib_ = 0;
  std::vector<Server> servers_;
  std::vector<std::vector<ThroughputFit>> fits_;  // by device and local batch
};

}  // namespace weir::inline v1
