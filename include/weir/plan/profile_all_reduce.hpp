#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/plan/all_reduce_fit.hpp"
#include "weir/plan/profile.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

struct AllReduceProfileOptions {
  std::vector<double> sizes_mib = {1, 5, 10, 15, 20, 25, 50, 100, 150};
  double bytes_per_second = 1e10;  // of the link, as the cluster of the profile will say; the fit absorbs it
  std::size_t warmup = 2;
  std::size_t repetitions = 10;
};

/// Times all-reduces of several sizes. All ranks call it and get the same: the times of the slowest rank.
///
/// Blocks. Cost: the largest size in memory. Errors: `ContractViolation` for a single rank, no repetition or
/// sizes that are not above 0; `OutOfMemory`; those of the communicator. Source: [iidp]
template <TransferringBackend E, class Communicator>
requires ReducingCommunicator<Communicator, E, float> && ReducingCommunicator<Communicator, E, double> &&
    CopyingBackend<E, float>
        AllReduceProfile profile_all_reduce(E const& executor, Communicator const& communicator,
                                            AllReduceProfileOptions const& options = {}) {
  if (communicator.size() < 2)
    throw ContractViolation("profile_all_reduce: a single rank; two or more would be right");
  if (options.repetitions == 0)
    throw ContractViolation("profile_all_reduce: 0 repetitions; at least 1 would be right");
  constexpr double mib = 1048576;
  double largest = 0;
  for (double const size : options.sizes_mib) {
    if (!(size > 0)) throw ContractViolation("profile_all_reduce: a size that is not above 0");
    largest = size > largest ? size : largest;
  }
  auto const elements = [](double size) { return static_cast<std::size_t>(size * mib / sizeof(float)); };
  Buffer<float, E> data(executor, elements(largest));
  Buffer<double, E> slowest(executor, options.sizes_mib.size());
  communicator.reserve(executor, data.size() * sizeof(float));
  set_zero(executor, data.view());

  std::vector<double> times;
  for (double const size : options.sizes_mib) {
    auto const part = data.view().part(0, elements(size));
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < options.warmup + options.repetitions; ++i) {
      if (i == options.warmup) {
        communicator.all_reduce(executor, data.view().part(0, 1));  // so that all ranks start together
        executor.synchronize();
        begin = now();
      }
      communicator.all_reduce(executor, part);
    }
    executor.synchronize();
    times.push_back(static_cast<double>(now() - begin) / 1e6 / static_cast<double>(options.repetitions));
  }
  from_host(executor, std::span<double const>(times), slowest.view());
  communicator.all_reduce(executor, slowest.view(), ReduceOp::max);
  times = to_host(executor, slowest.view());

  AllReduceProfile profile;
  for (std::size_t i = 0; i < times.size(); ++i) {
    double const ideal = ideal_all_reduce_ms(
        options.sizes_mib[i] * mib, static_cast<double>(communicator.size()), options.bytes_per_second);
    profile.samples_ms.push_back({ideal, times[i]});
  }
  return profile;
}

}  // namespace weir::inline v1
