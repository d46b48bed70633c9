// The sum of k buckets, beside a device-to-device copy of as many bytes, and beside what a trainer would
// write instead: k - 1 successive additions, ours and cuBLAS's; of 16-bit buckets to a sum in 32 bits.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#if WEIR_WITH_CUBLAS
#include <cublas_v2.h>
#endif

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"

namespace {

constexpr std::size_t small_bucket = 25'000'000;
constexpr std::size_t large_bucket = 256'000'000;
constexpr double goal_small = 0.85;
constexpr double goal_large = 0.92;
constexpr double goal_of_fusion = 1.5;  // at k = 4

std::string name_of_bucket(std::size_t bytes) {
  return std::to_string(bytes / 1'000'000) + " MB";
}
double goal_of_bucket(std::size_t bytes) {
  return bytes == small_bucket ? goal_small : goal_large;
}

/// Sets of k buckets, to go round.
template <class Element>
class Buckets {
 public:
  Buckets(weir::CudaExecutor const& executor, std::size_t count, std::size_t bytes)
      : count_(count),
        size_(bytes / sizeof(Element)),
        sets_(bench::rotation(count * bytes)),
        memory_(executor, sets_ * count * size_) {
    bench::fill_random(executor.stream(), memory_.data(), memory_.size(), 1);
    for (std::size_t bucket = 0; bucket < sets_ * count; ++bucket) {
      terms_.push_back({view(bucket), 1.0 / static_cast<double>(count)});
    }
  }

  std::size_t size() const { return size_; }
  std::size_t sets() const { return sets_; }
  weir::DeviceView<Element> view(std::size_t bucket) const {
    return {memory_.data() + bucket * size_, size_};
  }
  weir::DeviceView<Element> view(std::size_t turn, std::size_t bucket) const {
    return view(turn % sets_ * count_ + bucket);
  }
  std::span<weir::WeightedTerm<Element, weir::DeviceSpace> const> terms(std::size_t turn) const {
    return std::span(terms_).subspan(turn % sets_ * count_, count_);
  }

 private:
  std::size_t count_;
  std::size_t size_;
  std::size_t sets_;
  weir::Buffer<Element, weir::CudaExecutor> memory_;
  std::vector<weir::WeightedTerm<Element, weir::DeviceSpace>> terms_;
};

/// The copy first, then the sum, then what stands beside it.
void report_sum(bench::Report& report, char const* type, std::size_t count, std::size_t bytes, double moved,
                std::vector<bench::Timing> const& timings, std::vector<bench::Contender> const& contenders) {
  std::string const name = "sum k=" + std::to_string(count) + " " + type + " " + name_of_bucket(bytes);
  report.add({.measured = name,
              .what = contenders[1].what,
              .timing = timings[1],
              .bytes = moved,
              .roof = "copy",
              .roof_value = timings[0].median,
              .ratio = timings[0].median / timings[1].median,
              .goal = bench::Goal::ratio_at_least(goal_of_bucket(bytes))});
  for (std::size_t peer = 2; peer < contenders.size(); ++peer) {
    bool const is_goal = count == 4 && peer == 2;
    report.add({.measured = name,
                .what = contenders[peer].what,
                .timing = timings[peer],
                .bytes = moved,
                .roof = "weir sum_weighted",
                .roof_value = timings[1].median,
                .ratio = timings[peer].median / timings[1].median,
                .goal = is_goal ? bench::Goal::ratio_at_least(goal_of_fusion) : bench::Goal{}});
  }
}

#if WEIR_WITH_CUBLAS
void check_cublas(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) throw std::runtime_error(cublasGetStatusString(status));
}

class Cublas {
 public:
  explicit Cublas(cudaStream_t stream) {
    check_cublas(cublasCreate(&handle_));
    check_cublas(cublasSetStream(handle_, stream));
  }
  Cublas(Cublas const&) = delete;
  Cublas& operator=(Cublas const&) = delete;
  ~Cublas() { cublasDestroy(handle_); }

  void add(weir::DeviceView<float> in, float factor, weir::DeviceView<float> out) const {
    check_cublas(cublasSaxpy(handle_, static_cast<int>(in.size()), &factor, in.data(), 1, out.data(), 1));
  }

 private:
  cublasHandle_t handle_ = nullptr;
};
#endif

void sum_floats(bench::Report& report, std::size_t count, std::size_t bytes) {
  weir::CudaExecutor const executor;
  Buckets<float> const buckets(executor, count, bytes);
  auto const moved = static_cast<double>((count + 1) * bytes);
  bench::CopyRoof const copy(executor, (count + 1) * bytes);
  float const factor = 1.0f / static_cast<float>(count);
  std::vector<bench::Contender> contenders{
      copy.contender(),
      {"weir sum_weighted",
       [&](std::size_t turn) { sum_weighted(executor, buckets.terms(turn), buckets.view(turn, 0)); }},
      {"weir add_scaled, k-1 times", [&](std::size_t turn) {
         for (std::size_t term = 1; term < count; ++term) {
           add_scaled(executor, buckets.view(turn, term), factor, buckets.view(turn, 0));
         }
       }}};
#if WEIR_WITH_CUBLAS
  Cublas const cublas(executor.stream());
  contenders.push_back({"cuBLAS axpy, k-1 times", [&](std::size_t turn) {
                          for (std::size_t term = 1; term < count; ++term) {
                            cublas.add(buckets.view(turn, term), factor, buckets.view(turn, 0));
                          }
                        }});
#endif
  report_sum(report, "float", count, bytes, moved, bench::time_in_turns(executor.stream(), contenders),
             contenders);
}

/// 16-bit buckets of `bytes` bytes, summed in 32 bits.
void sum_bfloat16(bench::Report& report, std::size_t count, std::size_t bytes) {
  weir::CudaExecutor const executor;
  Buckets<weir::bfloat16> const buckets(executor, count, bytes);
  Buckets<float> const sums(executor, 1, 2 * bytes);
  bench::CopyRoof const copy(executor, (count + 2) * bytes);
  float const factor = 1.0f / static_cast<float>(count);
  std::vector<bench::Contender> const contenders{
      copy.contender(),
      {"weir sum_weighted",
       [&](std::size_t turn) { sum_weighted(executor, buckets.terms(turn), sums.view(turn, 0)); }},
      {"weir copy, add_scaled, k-1 times", [&](std::size_t turn) {
         weir::copy(executor, buckets.view(turn, 0), sums.view(turn, 0));
         for (std::size_t term = 1; term < count; ++term) {
           add_scaled(executor, buckets.view(turn, term), factor, sums.view(turn, 0));
         }
       }}};
  report_sum(report, "bfloat16", count, bytes, static_cast<double>((count + 2) * bytes),
             bench::time_in_turns(executor.stream(), contenders), contenders);
}

template <void (*Sum)(bench::Report&, std::size_t, std::size_t)>
void each_size(bench::Report& report) {
  for (std::size_t const bytes : {small_bucket, large_bucket}) {
    for (std::size_t const count : {2u, 4u, 8u}) Sum(report, count, bytes);
  }
}

/// The sum with the measurement of the result, which costs no pass of its own.
void measured_sum(bench::Report& report) {
  constexpr std::size_t count = 4;
  weir::CudaExecutor const executor;
  Buckets<float> const buckets(executor, count, large_bucket);
  weir::Buffer<weir::Measurement, weir::CudaExecutor> const measurement(executor, 1);
  bench::CopyRoof const copy(executor, (count + 1) * large_bucket);
  auto const timings = bench::time_in_turns(
      executor.stream(), {copy.contender(), {"weir sum_weighted", [&](std::size_t turn) {
                                               sum_weighted(executor, buckets.terms(turn),
                                                            buckets.view(turn, 0), {measurement.data()});
                                             }}});
  report.add({.measured = "sum k=4 float 256 MB, measured",
              .what = "weir sum_weighted",
              .timing = timings[1],
              .bytes = static_cast<double>((count + 1) * large_bucket),
              .roof = "copy",
              .roof_value = timings[0].median,
              .ratio = timings[0].median / timings[1].median});
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments,
                    {{"sums of float", each_size<sum_floats>},
                     {"sums of bfloat16", each_size<sum_bfloat16>},
                     {"measured sum", measured_sum}});
}
