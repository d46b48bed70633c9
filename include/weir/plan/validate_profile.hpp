#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "weir/plan/profile.hpp"
#include "weir/plan/throughput_fit.hpp"

namespace weir::inline v1 {

/// One thing that is wrong with a profile.
struct ProfileError {
  std::string path;         // in the JSON file, e.g. `devices[0].local_batches[1].size`
  std::string what;         // is wrong, and what would be right
  std::string device = {};  // its name, if it is about one

  std::string text() const { return path + ": " + what + (device.empty() ? "" : " (" + device + ")"); }
};

namespace detail {

class ProfileValidator {
 public:
  explicit ProfileValidator(Profile const& profile) : profile_(profile) {}

  std::vector<ProfileError> run() && {
    check_model();
    if (profile_.devices.empty()) add("devices", "missing; at least one device would be right");
    for (std::size_t i = 0; i < profile_.devices.size(); ++i) check_device(i);
    check_cluster();
    check_all_reduce("inter", profile_.inter, profile_.cluster.size() >= 2, "2 or more servers");
    check_all_reduce("intra", profile_.intra, needs_intra(), "one server of 2 or more devices");
    return std::move(errors_);
  }

 private:
  static constexpr std::size_t most_workers = std::size_t{1} << 16;
  static constexpr std::size_t most_devices = std::size_t{1} << 20;

  enum class Range { any, not_negative, positive };

  static std::string at(char const* list, std::size_t index) {
    return std::string(list) + "[" + std::to_string(index) + "]";
  }

  void add(std::string path, std::string what, std::string device = {}) {
    errors_.push_back({std::move(path), std::move(what), std::move(device)});
  }

  bool check_number(std::string const& path, double value, Range range, std::string const& device = {}) {
    char const* what = nullptr;
    if (value != value) {
      what = "missing";
    } else if (!__builtin_isfinite(value)) {
      what = "infinite; a finite number would be right";
    } else if (range == Range::not_negative && value < 0) {
      what = "negative; at least 0 would be right";
    } else if (range == Range::positive && value <= 0) {
      what = "not above 0; a positive number would be right";
    }
    if (what != nullptr) add(path, what, device);
    return what == nullptr;
  }

  bool check_count(std::string const& path, std::size_t value, std::string const& device = {}) {
    if (value == 0) add(path, "0; at least 1 would be right", device);
    return value != 0;
  }

  void check_model() {
    if (profile_.buckets_mib.empty()) add("buckets_mib", "missing; at least one bucket would be right");
    for (std::size_t i = 0; i < profile_.buckets_mib.size(); ++i)
      check_number(at("buckets_mib", i), profile_.buckets_mib[i], Range::positive);
    check_number("bucket_cap_mib", profile_.bucket_cap_mib, Range::positive);
    check_number("buffer_sync_ms", profile_.buffer_sync_ms, Range::not_negative);
  }

  void check_device(std::size_t index) {
    DeviceProfile const& device = profile_.devices[index];
    std::string const path = at("devices", index);
    if (device.name.empty()) add(path + ".name", "missing; a name would be right");
    for (std::size_t other = 0; other < index; ++other) {
      if (profile_.devices[other].name == device.name) {
        add(path + ".name", "already that of devices[" + std::to_string(other) + "]", device.name);
      }
    }
    if (device.local_batches.empty())
      add(path + ".local_batches", "missing; at least one would be right", device.name);
    for (std::size_t i = 0; i < device.local_batches.size(); ++i) {
      std::string const batch_path = path + "." + at("local_batches", i);
      for (std::size_t other = 0; other < i; ++other) {
        if (device.local_batches[other].size == device.local_batches[i].size)
          add(batch_path + ".size", "already that of local_batches[" + std::to_string(other) + "]",
              device.name);
      }
      check_local_batch(device, device.local_batches[i], batch_path);
    }
  }

  void check_local_batch(DeviceProfile const& device, LocalBatchProfile const& batch,
                         std::string const& path) {
    std::size_t const errors_before = errors_.size();
    check_count(path + ".size", batch.size, device.name);
    check_count(path + ".max_workers", batch.max_workers, device.name);
    if (batch.max_workers > most_workers)
      add(path + ".max_workers", "more than " + std::to_string(most_workers) + " workers", device.name);
    std::size_t most = 0;
    for (std::size_t i = 0; i < batch.points.size(); ++i) {
      std::string const point_path = path + "." + at("points", i);
      ProfilePoint const& point = batch.points[i];
      check_point(device, point, point_path);
      for (std::size_t other = 0; other < i; ++other) {
        if (batch.points[other].workers == point.workers)
          add(point_path + ".workers", "already that of points[" + std::to_string(other) + "]", device.name);
      }
      if (point.workers > most) most = point.workers;
    }
    // Without a fit every number of workers has to be measured.
    std::size_t const needed = most < 3 ? batch.max_workers : 1;
    if (needed > 2) {
      add(path + ".points",
          "fewer than 3 workers measured, so a fit is not possible; points for 1 and " +
              std::to_string(batch.max_workers) + " workers would be right",
          device.name);
    }
    for (std::size_t workers = 1; workers <= needed && workers <= 2; ++workers) {
      if (!is_measured(batch, workers))
        add(path + ".points",
            std::string("missing: a point for ") + (workers == 1 ? "1 worker" : "2 workers"), device.name);
    }
    if (errors_.size() == errors_before) check_fit(device, batch, path);
  }

  void check_point(DeviceProfile const& device, ProfilePoint const& point, std::string const& path) {
    check_count(path + ".workers", point.workers, device.name);
    check_number(path + ".data_ms", point.data_ms, Range::not_negative, device.name);
    bool const forward =
        check_number(path + ".forward_ms", point.forward_ms, Range::not_negative, device.name);
    bool const backward =
        check_number(path + ".backward_ms", point.backward_ms, Range::not_negative, device.name);
    if (forward && backward && point.forward_ms + point.backward_ms <= 0)
      add(path + ".forward_ms", "0, as backward_ms is; a sum above 0 would be right", device.name);
    check_number(path + ".update_ms", point.update_ms, Range::not_negative, device.name);
    check_number(path + ".copy_ms", point.copy_ms, Range::not_negative, device.name);
  }

  static bool is_measured(LocalBatchProfile const& batch, std::size_t workers) {
    for (ProfilePoint const& point : batch.points) {
      if (point.workers == workers) return true;
    }
    return false;
  }

  void check_fit(DeviceProfile const& device, LocalBatchProfile const& batch, std::string const& path) {
    ThroughputFit const fit(batch, profile_.rounding);
    // Monotone in the workers, so its ends suffice; what is not fitted has one or two points.
    std::size_t const ends[] = {1, batch.max_workers};
    for (std::size_t const workers : ends) {
      if (fit.one() > 0 && fit.relative(workers) > 0 && __builtin_isfinite(fit.seconds(workers))) continue;
      add(path + ".points",
          "the throughput that follows from them is not above 0 for " + std::to_string(workers) +
              (workers == 1 ? " worker" : " workers"),
          device.name);
      return;
    }
  }

  bool needs_intra() const { return profile_.cluster.size() == 1 && profile_.cluster[0].count >= 2; }

  void check_cluster() {
    if (profile_.cluster.empty()) add("cluster", "missing; at least one server would be right");
    std::size_t devices = 0;
    for (std::size_t i = 0; i < profile_.cluster.size(); ++i) {
      ServerProfile const& server = profile_.cluster[i];
      std::string const path = at("cluster", i);
      if (server.server.empty()) add(path + ".server", "missing; a name would be right", server.device);
      for (std::size_t other = 0; other < i; ++other) {
        if (profile_.cluster[other].server == server.server)
          add(path + ".server", "already that of cluster[" + std::to_string(other) + "]", server.device);
      }
      if (profile_.find_device(server.device) == nullptr)
        add(path + ".device", "not one of the profiled devices", server.device);
      if (check_count(path + ".count", server.count, server.device)) {
        if (server.count > most_devices - devices) {
          add(path + ".count", "more than " + std::to_string(most_devices) + " devices in all",
              server.device);
          return;
        }
        devices += server.count;
      }
      check_bandwidth(path + ".intra_bytes_per_second", server.intra_bytes_per_second, needs_intra(),
                      server.device);
      check_bandwidth(path + ".inter_bytes_per_second", server.inter_bytes_per_second,
                      profile_.cluster.size() >= 2, server.device);
    }
  }

  void check_bandwidth(std::string const& path, double value, bool is_needed, std::string const& device) {
    if (is_needed || value == value) check_number(path, value, Range::positive, device);
  }

  void check_all_reduce(char const* name, AllReduceProfile const& all_reduce, bool is_needed,
                        char const* who_needs_it) {
    std::string const path = std::string("allreduce.") + name;
    if (!all_reduce.is_given()) {
      if (is_needed) add(path, std::string("missing; a cluster of ") + who_needs_it + " needs it");
      return;
    }
    if (all_reduce.samples_ms.empty()) {
      check_number(path + ".p", all_reduce.p, Range::any);
      check_number(path + ".q", all_reduce.q, Range::any);
      return;
    }
    bool differ = false;
    for (std::size_t i = 0; i < all_reduce.samples_ms.size(); ++i) {
      AllReduceSample const& sample = all_reduce.samples_ms[i];
      std::string const sample_path = path + "." + at("samples_ms", i);
      check_number(sample_path + "[0]", sample.ideal_ms, Range::not_negative);
      check_number(sample_path + "[1]", sample.measured_ms, Range::not_negative);
      differ = differ || sample.ideal_ms != all_reduce.samples_ms.front().ideal_ms;
    }
    if (!differ) add(path + ".samples_ms", "one ideal time only; two or more different ones would be right");
  }

  Profile const& profile_;
  std::vector<ProfileError> errors_;
};

}  // namespace detail

/// Everything that is wrong with a profile; nothing if a `TimeModel` can be made of it.
inline std::vector<ProfileError> validate(Profile const& profile) {
  return detail::ProfileValidator(profile).run();
}

}  // namespace weir::inline v1
