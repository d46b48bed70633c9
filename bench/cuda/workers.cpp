// Micro-batches per second with 4 workers, beside 1 worker: with kernels that take a quarter of the GPU each,
// and with kernels that fill it.
#include <cstddef>
#include <string>

#include "support/gpu_timing.hpp"
#include "support/gpu_training.hpp"

namespace {

constexpr std::size_t workers = 4;
constexpr double goal_of_small_kernels = 1.8;
constexpr double goal_of_large_kernels = 0.97;

/// A backward pass of kernels that compute for about 0.1 ms each.
struct BusyModel {
  static constexpr std::size_t buckets = 4;
  static constexpr std::size_t bucket_elements = std::size_t{1} << 18;
  static constexpr std::size_t kernels_of_bucket = 2;
  static constexpr unsigned rounds = 20'000;

  unsigned blocks;

  template <class Micro>
  void operator()(Micro& micro) const {
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      auto const gradient = micro.bucket_gradient(bucket);
      set_zero(micro.executor(), gradient);
      for (std::size_t kernel = 0; kernel < kernels_of_bucket; ++kernel) {
        bench::launch_busy(micro.executor().stream(), blocks, rounds, gradient.data());
      }
      micro.ready(bucket);
    }
  }
};

void compare(bench::Report& report, char const* name, unsigned blocks, double goal) {
  weir::CudaExecutor const executor;
  BusyModel const model{blocks};
  bench::Training one(executor, 1, BusyModel::buckets, BusyModel::bucket_elements, model);
  bench::Training many(executor, workers, BusyModel::buckets, BusyModel::bucket_elements, model);
  auto const timings = bench::time_in_turns(
      executor.stream(),
      {{"1 worker", [&](std::size_t) { one.step(); }}, {"4 workers", [&](std::size_t) { many.step(); }}});
  one.wait();
  many.wait();
  report.add({.measured = name, .what = "1 worker, 1 micro-batch", .timing = timings[0]});
  report.add({.measured = name,
              .what = "4 workers, 4 micro-batches",
              .timing = timings[1],
              .roof = "4 steps of 1 worker",
              .roof_value = static_cast<double>(workers) * timings[0].median,
              .ratio = static_cast<double>(workers) * timings[0].median / timings[1].median,
              .goal = bench::Goal::ratio_at_least(goal)});
}

void small_kernels(bench::Report& report) {
  compare(report, "workers, kernels of a quarter of the GPU", bench::multiprocessors() / workers,
          goal_of_small_kernels);
}

void large_kernels(bench::Report& report) {
  compare(report, "workers, kernels that fill the GPU", 2 * bench::multiprocessors(), goal_of_large_kernels);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(
      count, arguments,
      {{"kernels of a quarter of the GPU", small_kernels}, {"kernels that fill the GPU", large_kernels}});
}
