#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "support/report.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/tensor/buffer.hpp"

// Google Benchmark times one thing after the other; here what is compared runs in turns, so that both see the
// same clocks.

namespace bench {

/// What is timed. `enqueue(turn)` uses other memory each turn, so that the L2 has not kept what it reads.
struct Contender {
  std::string what;
  std::function<void(std::size_t)> enqueue;
};

inline Timing summarise(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  double const median = times[times.size() / 2];
  return {median, (times[times.size() * 3 / 4] - times[times.size() / 4]) / median};
}

/// An event that measures time.
class Mark {
 public:
  Mark() { weir::check_cuda(cudaEventCreate(&event_), "cudaEventCreate"); }
  Mark(Mark const&) = delete;
  Mark& operator=(Mark const&) = delete;
  ~Mark() { cudaEventDestroy(event_); }

  void record(cudaStream_t stream) { weir::check_cuda(cudaEventRecord(event_, stream), "cudaEventRecord"); }
  double microseconds_since(Mark const& start) const {
    float milliseconds = 0;
    weir::check_cuda(cudaEventSynchronize(event_), "cudaEventSynchronize");
    weir::check_cuda(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return 1000.0 * static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Times `contenders` in turns, each `samples` times: a sample is as many calls in a row as take about a
/// millisecond, at least 4, so that the launches are hidden behind the work.
inline std::vector<Timing> time_in_turns(cudaStream_t stream, std::vector<Contender> const& contenders,
                                         std::size_t samples = 31) {
  constexpr double sample_microseconds = 1000.0;
  constexpr std::size_t fewest_calls = 4;
  constexpr std::size_t most_calls = 64;
  Mark begin;
  Mark end;
  std::vector<std::size_t> turns(contenders.size());
  auto const time = [&](std::size_t index, std::size_t calls) {
    begin.record(stream);
    for (std::size_t call = 0; call < calls; ++call) contenders[index].enqueue(turns[index]++);
    end.record(stream);
    return end.microseconds_since(begin) / static_cast<double>(calls);
  };
  std::vector<std::size_t> calls(contenders.size());
  for (std::size_t index = 0; index < contenders.size(); ++index) {
    time(index, 4);  // loads the kernel
    calls[index] =
        std::clamp(static_cast<std::size_t>(sample_microseconds / time(index, 4)), fewest_calls, most_calls);
  }
  std::vector<std::vector<double>> times(contenders.size());
  for (std::size_t sample = 0; sample < samples; ++sample) {
    for (std::size_t index = 0; index < contenders.size(); ++index) {
      times[index].push_back(time(index, calls[index]));
    }
  }
  std::vector<Timing> timings;
  for (auto const& each : times) timings.push_back(summarise(each));
  return timings;
}

/// Of the current device.
inline unsigned multiprocessors() {
  int count = 0;
  weir::check_cuda(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, weir::current_device()),
                   "cudaDeviceGetAttribute");
  return static_cast<unsigned>(count);
}

/// So many bytes that going round them takes everything out of the L2.
inline std::size_t more_than_l2() {
  int bytes = 0;
  weir::check_cuda(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, weir::current_device()),
                   "cudaDeviceGetAttribute");
  return 4 * static_cast<std::size_t>(bytes);
}

/// How many sets of `bytes` bytes to go round.
inline std::size_t rotation(std::size_t bytes) {
  return 2 + more_than_l2() / bytes;
}

/// The roof: a device-to-device copy that reads and writes `bytes` bytes in all.
class CopyRoof {
 public:
  CopyRoof(weir::CudaExecutor const& executor, std::size_t bytes);
  Contender contender() const {
    return {"copy", [this](std::size_t turn) {
              auto* const from = memory_.data() + turn % sets_ * 2 * half_;
              weir::check_cuda(cudaMemcpyAsync(from + half_, from, half_, cudaMemcpyDeviceToDevice, stream_),
                               "cudaMemcpyAsync");
            }};
  }

 private:
  std::size_t half_;
  std::size_t sets_;
  weir::Buffer<std::byte, weir::CudaExecutor> memory_;
  cudaStream_t stream_;
};

/// A part of a program: a name for the error message, and what measures.
struct Part {
  char const* name;
  void (*run)(Report&);
};

/// Runs the parts. The status is 77 without a GPU, 1 if a part has failed.
inline int run(int count, char** arguments, std::vector<Part> const& parts) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("skipped: there is no CUDA device\n");
    return 77;
  }
  Report report(count, arguments);
  int status = EXIT_SUCCESS;
  for (Part const& part : parts) {
    try {
      part.run(report);
    } catch (std::exception const& error) {
      std::printf("%s FAILED: %s\n", part.name, error.what());
      status = EXIT_FAILURE;
    }
  }
  return status;
}

}  // namespace bench
