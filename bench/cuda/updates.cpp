// Updates of many tensors in one launch, beside a device-to-device copy of the bytes that they have to move.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "support/gpu_timing.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/exec/update_list.hpp"

namespace {

constexpr double goal_of_sgd = 0.90;
constexpr double goal_of_adamw = 0.88;
constexpr std::size_t tensors = 1000;
constexpr std::size_t parameters = 100'000'000;

template <class Element>
using DeviceBuffer = weir::Buffer<Element, weir::CudaExecutor>;

template <class Element>
DeviceBuffer<Element> random_buffer(weir::CudaExecutor const& executor, std::size_t size, unsigned seed) {
  DeviceBuffer<Element> buffer(executor, size);
  bench::fill_random(executor.stream(), buffer.data(), size, seed);
  return buffer;
}

template <class Element>
DeviceBuffer<Element> on_device(weir::CudaExecutor const& executor, std::vector<Element> const& values) {
  DeviceBuffer<Element> buffer(executor, values.size());
  copy_from_host(executor, values.data(), buffer.data(), values.size() * sizeof(Element));
  executor.synchronize();
  return buffer;
}

/// Sizes as models have them: of four tensors one is small, e.g. a bias. peers.py takes the same.
std::vector<std::size_t> tensor_sizes(std::size_t count, std::size_t total) {
  constexpr std::size_t small = 1000;
  std::size_t const large = (total - count / 4 * small) / (count - count / 4);
  std::vector<std::size_t> sizes(count);
  for (std::size_t i = 0; i < count; ++i) sizes[i] = i % 4 == 3 ? small : large;
  return sizes;
}

/// The weights of many tensors with what an update needs besides.
struct Model {
  Model(weir::CudaExecutor const& executor, std::vector<std::size_t> const& sizes, std::size_t moment_count,
        bool has_copies)
      : elements(total(sizes)),
        weights(random_buffer<float>(executor, elements, 1)),
        narrow(executor, has_copies ? elements : 0),
        state(executor, 1) {
    for (std::size_t i = 0; i < moment_count; ++i) {
      moments.emplace_back(executor, elements);
      set_zero(executor, moments.back().view());
    }
    std::vector<weir::UpdatePiece<float>> pieces;
    std::vector<void*> copies;
    std::size_t offset = 0;
    for (std::size_t parameter = 0; parameter < sizes.size(); ++parameter) {
      float* const place = weights.data() + offset;
      pieces.push_back({place, place, sizes[parameter], offset, parameter});
      copies.push_back(narrow.data() + offset);
      offset += sizes[parameter];
    }
    chunks.push_back(
        on_device(executor, weir::cut_into_chunks<float>(std::span<weir::UpdatePiece<float> const>(pieces))));
    list = {.chunks = chunks[0].data(), .count = chunks[0].size(), .elements = elements};
    if (has_copies) {
      copy_pointers.push_back(on_device(executor, copies));
      list.copies = {copy_pointers[0].data(), weir::ElementType::bfloat16};
    }
    apply_scalars(executor, weir::InitialiseOptimizer{state.data(), 1e-3});
    apply_scalars(executor, weir::AdvanceOptimizer{state.data(), 0.9, 0.999, nullptr});
  }

  static std::size_t total(std::vector<std::size_t> const& sizes) {
    std::size_t sum = 0;
    for (std::size_t const size : sizes) sum += size;
    return sum;
  }

  std::size_t elements;
  DeviceBuffer<float> weights;
  DeviceBuffer<weir::bfloat16> narrow;
  DeviceBuffer<weir::OptimizerState> state;
  std::vector<DeviceBuffer<float>> moments;
  std::vector<DeviceBuffer<weir::UpdateChunk<float>>> chunks;
  std::vector<DeviceBuffer<void*>> copy_pointers;
  weir::UpdateList<float> list;
};

using Terms = std::vector<weir::WeightedTerm<float, weir::DeviceSpace>>;

void report_against_copy(bench::Report& report, weir::CudaExecutor const& executor, std::string const& name,
                         std::size_t bytes, double goal, bench::Contender const& update) {
  bench::CopyRoof const copy(executor, bytes);
  auto const timings = bench::time_in_turns(executor.stream(), {copy.contender(), update});
  report.add({.measured = name,
              .what = update.what,
              .timing = timings[1],
              .bytes = static_cast<double>(bytes),
              .roof = "copy",
              .roof_value = timings[0].median,
              .ratio = timings[0].median / timings[1].median,
              .goal = bench::Goal::ratio_at_least(goal)});
}

/// The sum of k gradients, the step and the weights in 16 bits in one pass; sets of all of it to go round.
void fused_sgd(bench::Report& report, std::size_t count, std::size_t bucket_bytes) {
  weir::CudaExecutor const executor;
  std::size_t const elements = bucket_bytes / sizeof(float);
  std::size_t const bytes = elements * (4 * count + 4 + 4 + 4 + 4 + 2);
  std::vector<Model> models;
  std::vector<DeviceBuffer<float>> gradients;
  std::vector<Terms> terms;
  for (std::size_t set = 0; set < bench::rotation(bytes); ++set) {
    models.emplace_back(executor, std::vector<std::size_t>(20, elements / 20), 1, true);
    terms.emplace_back();
    for (std::size_t term = 0; term < count; ++term) {
      gradients.push_back(random_buffer<float>(executor, models[0].elements, 7));
      terms.back().push_back({gradients.back().view(), 1.0 / static_cast<double>(count)});
    }
  }
  report_against_copy(report, executor,
                      "sum k=" + std::to_string(count) + ", SGD with momentum, bfloat16 copy, " +
                          std::to_string(bucket_bytes / 1'000'000) + " MB",
                      bytes, goal_of_sgd,
                      {"weir sgd_update_pieces", [&](std::size_t turn) {
                         Model const& model = models[turn % models.size()];
                         std::span<Terms::value_type const> const sum = terms[turn % models.size()];
                         sgd_update_pieces(executor, model.list, sum, model.moments[0].view(),
                                           {.momentum = 0.9}, model.state.data(), {});
                       }});
}

void fused_sgd_of_each_size(bench::Report& report) {
  for (std::size_t const bytes : {std::size_t{25'000'000}, std::size_t{256'000'000}}) {
    for (std::size_t const count : {1u, 4u}) fused_sgd(report, count, bytes);
  }
}

void adamw(bench::Report& report) {
  weir::CudaExecutor const executor;
  Model const model(executor, tensor_sizes(tensors, parameters), 2, false);
  auto const gradient = random_buffer<float>(executor, model.elements, 7);
  Terms const terms{{gradient.view(), 1.0}};
  report_against_copy(report, executor, "AdamW, 1000 tensors, 100 M parameters",
                      model.elements * 7 * sizeof(float), goal_of_adamw,
                      {"weir adamw_update_pieces", [&](std::size_t) {
                         adamw_update_pieces(executor, model.list, std::span<Terms::value_type const>(terms),
                                             model.moments[0].view(), model.moments[1].view(), {},
                                             model.state.data(), {});
                       }});
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"fused SGD", fused_sgd_of_each_size}, {"AdamW", adamw}});
}
