#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace weir::inline v1 {

/// What a number of a profile is until it has been measured.
inline constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

/// Mean times of one step of a device with so many workers, each phase up to the end of the slowest worker.
struct ProfilePoint {
  std::size_t workers = 1;
  double data_ms = not_measured;
  double forward_ms = not_measured;
  double backward_ms = not_measured;
  double update_ms = not_measured;
  double copy_ms = not_measured;  // of the weights, to all other workers
};

/// One local batch on one device.
struct LocalBatchProfile {
  std::size_t size = 0;         // samples
  std::size_t max_workers = 0;  // that fit into memory
  std::vector<ProfilePoint> points = {};
};

struct DeviceProfile {
  std::string name = {};
  std::vector<LocalBatchProfile> local_batches = {};
};

/// An all-reduce that was timed. `ideal_ms` is what the bytes that it moves would take at full bandwidth.
struct AllReduceSample {
  double ideal_ms = not_measured;
  double measured_ms = not_measured;
};

/// What an all-reduce takes: p * ideal + q, given by samples or by the line itself. Units: milliseconds.
struct AllReduceProfile {
  std::vector<AllReduceSample> samples_ms = {};
  double p = not_measured;
  double q = not_measured;

  bool is_given() const { return !samples_ms.empty() || p == p || q == q; }
};

/// Devices of one kind in one server.
struct ServerProfile {
  std::string server = {};
  std::string device = {};  // name of a `DeviceProfile`
  std::size_t count = 0;
  double intra_bytes_per_second = not_measured;
  double inter_bytes_per_second = not_measured;
};

/// Whether the time model rounds as the reference system does.
enum class ProfileRounding : std::uint8_t { reference, none };

/// Everything that was measured about a model and a cluster, as plain data. Ranks are numbered in the order
/// of `cluster`. `validate` says what is wrong with one. Source: [iidp]
struct Profile {
  std::string model = {};
  ProfileRounding rounding = ProfileRounding::reference;
  std::vector<double> buckets_mib = {};  // of gradients, in bucket order
  double bucket_cap_mib = 25;
  double buffer_sync_ms = 0;  // per worker and step, say for the statistics of a batch normalisation
  AllReduceProfile inter = {};
  AllReduceProfile intra = {};
  std::vector<DeviceProfile> devices = {};
  std::vector<ServerProfile> cluster = {};

  /// G, of all servers together.
  std::size_t device_count() const {
    std::size_t count = 0;
    for (ServerProfile const& server : cluster) count += server.count;
    return count;
  }

  /// Null if there is none of that name.
  DeviceProfile const* find_device(std::string const& name) const {
    for (DeviceProfile const& device : devices) {
      if (device.name == name) return &device;
    }
    return nullptr;
  }
};

/// Null if that local batch was not measured on the device.
inline LocalBatchProfile const* find_local_batch(DeviceProfile const& device, std::size_t size) {
  for (LocalBatchProfile const& batch : device.local_batches) {
    if (batch.size == size) return &batch;
  }
  return nullptr;
}

}  // namespace weir::inline v1
