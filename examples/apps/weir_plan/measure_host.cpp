#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"
#include "measure_step.hpp"
#include "measured_mlp.hpp"
#include "weir/comm/threads.hpp"
#include "weir/host/executor.hpp"
#include "weir/plan/profile_all_reduce.hpp"

namespace weir_plan {
namespace {

constexpr double bytes_per_second = 1e10;  // nominal: the fit of the all-reduce absorbs it

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    std::size_t const colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "host";
}

weir::AllReduceProfile measure_all_reduce() {
  weir::AllReduceProfile profile;
  std::vector<std::thread> ranks;
  for (weir::ThreadCommunicator const& communicator : weir::ThreadCommunicator::group(2)) {
    ranks.emplace_back([&profile, communicator] {
      weir::HostExecutor const executor;
      auto const measured = profile_all_reduce(executor, communicator,
                                               {.bytes_per_second = bytes_per_second, .repetitions = 5});
      if (communicator.rank() == 0) profile = measured;
    });
  }
  for (std::thread& rank : ranks) rank.join();
  return profile;
}

}  // namespace

weir::Profile measure_host(std::size_t threads, std::uint64_t seed) {
  BuiltIn const built_in;
  weir::Profile profile = built_in.profile();
  weir::DeviceProfile device{.name = processor_name()};
  weir::HostExecutor const executor;
  for (std::size_t const local_batch : BuiltIn::local_batches) {
    std::vector<std::uint32_t> samples(std::min(threads, built_in.data.train.size() / local_batch) *
                                       local_batch);
    std::iota(samples.begin(), samples.end(), 0u);
    MeasuredMlp model(built_in.network, built_in.data.train, local_batch);
    device.local_batches.push_back(
        measure_step(built_in, executor, std::span<std::uint32_t const>(samples), local_batch, seed, model));
  }
  profile.intra = measure_all_reduce();
  profile.cluster = {{"this machine", device.name, 1, bytes_per_second, weir::not_measured}};
  profile.devices.push_back(std::move(device));
  return profile;
}

}  // namespace weir_plan
