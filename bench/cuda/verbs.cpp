// The verbs that go over one vector, beside a device-to-device copy of as many bytes.
#include <cstddef>
#include <functional>
#include <string>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"

namespace {

constexpr std::size_t elements = 64'000'000;  // 256 MB of float

/// Two sets, which are more than the L2 each, of a wide and a narrow vector.
struct Vectors {
  explicit Vectors(weir::CudaExecutor const& executor)
      : in(executor, 2 * elements),
        out(executor, 2 * elements),
        narrow(executor, 2 * elements),
        measurement(executor, 1) {
    bench::fill_random(executor.stream(), in.data(), in.size(), 1);
    bench::fill_random(executor.stream(), out.data(), out.size(), 2);
    bench::fill_random(executor.stream(), narrow.data(), narrow.size(), 3);
  }

  template <class Element>
  static weir::DeviceView<Element> part(weir::Buffer<Element, weir::CudaExecutor> const& buffer,
                                        std::size_t turn) {
    return {buffer.data() + turn % 2 * elements, elements};
  }

  weir::Buffer<float, weir::CudaExecutor> in;
  weir::Buffer<float, weir::CudaExecutor> out;
  weir::Buffer<weir::bfloat16, weir::CudaExecutor> narrow;
  weir::Buffer<weir::Measurement, weir::CudaExecutor> measurement;
};

void against_copy(bench::Report& report, weir::CudaExecutor const& executor, std::string const& name,
                  std::size_t bytes, std::vector<bench::Contender> contenders) {
  bench::CopyRoof const copy(executor, bytes);
  contenders.insert(contenders.begin(), copy.contender());
  auto const timings = bench::time_in_turns(executor.stream(), contenders);
  for (std::size_t index = 1; index < contenders.size(); ++index) {
    report.add({.measured = name,
                .what = contenders[index].what,
                .timing = timings[index],
                .bytes = static_cast<double>(bytes),
                .roof = "copy",
                .roof_value = timings[0].median,
                .ratio = timings[0].median / timings[index].median});
  }
}

void verbs(bench::Report& report) {
  weir::CudaExecutor const executor;
  Vectors const vectors(executor);
  auto const in = [&](std::size_t turn) { return Vectors::part(vectors.in, turn); };
  auto const out = [&](std::size_t turn) { return Vectors::part(vectors.out, turn); };
  auto const narrow = [&](std::size_t turn) { return Vectors::part(vectors.narrow, turn); };
  against_copy(report, executor, "set_zero 256 MB", 4 * elements,
               {{"weir", [&](std::size_t turn) { set_zero(executor, out(turn)); }},
                {"cudaMemset", [&](std::size_t turn) {
                   weir::check_cuda(cudaMemsetAsync(out(turn).data(), 0, 4 * elements, executor.stream()),
                                    "cudaMemsetAsync");
                 }}});
  against_copy(report, executor, "copy float to bfloat16, 256 MB", 6 * elements,
               {{"weir", [&](std::size_t turn) { copy(executor, in(turn), narrow(turn)); }}});
  against_copy(report, executor, "copy bfloat16 to float, 128 MB", 6 * elements,
               {{"weir", [&](std::size_t turn) { copy(executor, narrow(turn), out(turn)); }}});
  against_copy(report, executor, "add_scaled float, 256 MB", 12 * elements,
               {{"weir", [&](std::size_t turn) { add_scaled(executor, in(turn), 0.5f, out(turn)); }}});

  std::size_t workspace_bytes = 0;
  bench::cub_sum_of_squares(executor.stream(), vectors.in.data(), elements, nullptr, nullptr,
                            workspace_bytes);
  weir::Buffer<std::byte, weir::CudaExecutor> const workspace(executor, workspace_bytes);
  weir::Buffer<double, weir::CudaExecutor> const norm(executor, 1);
  against_copy(
      report, executor, "norm and finite check, float, 256 MB", 4 * elements,
      {{"weir measure", [&](std::size_t turn) { measure(executor, in(turn), vectors.measurement.data()); }},
       {"CUB sum of squares only", [&](std::size_t turn) {
          bench::cub_sum_of_squares(executor.stream(), in(turn).data(), elements, norm.data(),
                                    workspace.data(), workspace_bytes);
        }}});
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"verbs", verbs}});
}
