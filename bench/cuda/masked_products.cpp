// The three products of masked layers beside what a user would take instead: cuBLAS on the dense matrix,
// cuSPARSE on the same entries as CSR (single entries) or Blocked-ELL (tiles), by the algorithm and with the
// order of the dense matrices that are fastest for it. Says from which density on the dense matrix is faster,
// and of single entries in float which part of its multiply-adds the device does.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/cusparse_products.hpp"
#include "cuda/dense_products.hpp"
#include "cuda/product.hpp"
#include "cuda/rotating.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"

namespace {

using bench::Product;
using bench::Rotating;
using weir::bfloat16;
using weir::half;

struct Size {
  std::size_t outputs = 4096;
  std::size_t inputs = 4096;

  bool has_goals() const { return outputs == 4096 && inputs == 4096; }
};

/// What is held against a goal, and how that follows from density and batch; 0: none.
template <class Element>
double goal_of(Size const& size, std::uint32_t block, double density, std::size_t samples) {
  if (!size.has_goals()) return 0;
  if (block == 1) return samples >= 128 ? 3.0 : 1.0;  // over cuSPARSE
  if (samples != 4096 || block < 64) return 0;        // the others over cuBLAS
  if (density >= 0.5) return 0.6 / density;           // as fast as dense at 0.6
  return density == 0.125 || density == 0.25 ? (block == 128 ? 0.88 : 0.75) / density : 0;
}

/// Microseconds for so many multiply-adds in float as the device does at most.
class MultiplyAddRoof {
 public:
  explicit MultiplyAddRoof(weir::CudaExecutor const& executor) : out_(executor, 1) {
    unsigned const blocks = 8 * bench::multiprocessors(), rounds = 512;
    auto const timing = bench::time_in_turns(
        executor.stream(), {{"multiply-adds", [&](std::size_t) {
                               bench::launch_multiply_adds(executor.stream(), blocks, rounds, out_.data());
                             }}});
    per_microsecond_ = bench::multiply_adds_of(blocks, rounds) / timing[0].median;
  }

  double microseconds(double multiply_adds) const { return multiply_adds / per_microsecond_; }

 private:
  bench::Memory<float> out_;
  double per_microsecond_;
};

struct Speeds {
  double density;
  double over_dense;
};

/// All products of one mask and batch; how fast the forward one is, over the dense.
template <class Element>
double measure(bench::Report& report, weir::CudaExecutor const& executor,
               bench::DenseProducts<Element> const& dense, Size const& size, std::uint32_t block,
               double density, std::size_t samples, MultiplyAddRoof const* roof = nullptr) {
  weir::MaskOptions options{
      .outputs = size.outputs, .inputs = size.inputs, .density = density, .block = block};
  options.family = "hadamard-group";
  weir::BIBDMask<weir::AnyDesign> const mask(options);
  weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const bound(executor, mask);
  std::size_t const count = mask.value_count();
  Rotating<Element> const values(executor, count, 1), x(executor, samples * size.inputs, 2),
      y(executor, samples * size.outputs, 4);
  Rotating<float> const gradient(executor, count, 7);
  bench::Sparse<Element> const sparse(executor, mask);
  double over_dense = 0;
  for (Product const product : bench::products) {
    std::vector<bench::Contender> contenders{
        {"weir",
         [&](std::size_t turn) {
           weir::TensorView<Element const, weir::DeviceSpace> const weights(values.at(turn), count);
           auto const in = weir::batch_major<weir::DeviceSpace>(x.at(turn), samples, size.inputs);
           auto const out = weir::batch_major<weir::DeviceSpace>(y.at(turn), samples, size.outputs);
           weir::DeviceBatch<Element const> const read_in = in, read_out = out;
           weir::TensorView<float, weir::DeviceSpace> const sums(gradient.at(turn), count);
           bound.visit([&](auto const& layout) {
             if (product == Product::forward)
               multiply_masked(executor, layout, weights, read_in, out);
             else if (product == Product::input_gradient)
               multiply_masked_transposed(executor, layout, weights, read_out, in);
             else
               masked_weight_gradient(executor, layout, read_out, read_in, sums,
                                      weir::GradientMode::overwrite);
           });
         }},
        {"cuBLAS, dense",
         [&](std::size_t turn) { dense.multiply(product, x.at(turn), y.at(turn), samples, turn); }}};
    std::unique_ptr<bench::SparseProduct<Element>> of_sparse;
    if (sparse.has(product)) {
      bool const is_back = product == Product::input_gradient;
      of_sparse = sparse.fastest(product, samples, is_back ? y : x, is_back ? x : y);
      contenders.push_back(of_sparse->contender());
    }
    auto const timings = bench::time_in_turns(executor.stream(), contenders, 11);
    std::size_t const against = block == 1 ? 2 : 1;
    double const goal = goal_of<Element>(size, block, density, samples);
    std::string text = bench::name_of(product) + std::string(", ") + bench::type_name<Element> +
                       ", tiles of " + std::to_string(block) + ", d = " + bench::density_text(density) +
                       ", batch " + std::to_string(samples);
    if (!size.has_goals()) text += ", " + std::to_string(size.outputs) + " x " + std::to_string(size.inputs);
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      bench::Figure figure{.measured = text, .what = contenders[i].what, .timing = timings[i]};
      if (i == 0) {
        figure.bytes = samples == 1 ? static_cast<double>(count * sizeof(Element)) : 0;
        figure.roof = contenders[against].what;
        figure.roof_value = timings[against].median;
        figure.ratio = timings[against].median / timings[0].median;
        if (goal != 0) figure.goal = bench::Goal::ratio_at_least(goal);
      }
      report.add(figure);
    }
    if (roof != nullptr && samples >= 512) {
      double const least = roof->microseconds(static_cast<double>(mask.nnz()) * static_cast<double>(samples));
      bench::Figure figure{.measured = text, .what = "weir, of the multiply-adds", .timing = timings[0]};
      figure.roof = "multiply-adds";
      figure.roof_value = least;
      figure.ratio = least / timings[0].median;
      if (size.has_goals()) figure.goal = bench::Goal::ratio_at_least(0.4);
      report.add(figure);
    }
    if (product == Product::forward) over_dense = timings[1].median / timings[0].median;
  }
  return over_dense;
}

/// The density at which the dense product is as fast, between two that were measured.
void print_crossover(Size const& size, std::uint32_t block, std::size_t samples,
                     std::vector<Speeds> const& speeds) {
  double crossover = 0;
  for (std::size_t i = 0; i < speeds.size(); ++i) {
    if (speeds[i].over_dense < 1) break;
    crossover = speeds[i].density * speeds[i].over_dense;  // time is about proportional to density
  }
  std::printf("%zu x %zu, tiles of %u, batch %zu: dense is faster from a density of about %.3f on\n",
              size.outputs, size.inputs, block, samples, crossover < 1 ? crossover : 1.0);
}

/// Every batch and density of a size.
template <class Element>
void measure_all(bench::Report& report, Size const& size, std::vector<std::uint32_t> const& blocks,
                 std::vector<std::size_t> const& batches, std::vector<double> const& densities,
                 MultiplyAddRoof const* roof = nullptr) {
  weir::CudaExecutor const executor;
  bench::DenseProducts<Element> const dense(executor, size.outputs, size.inputs);
  for (std::uint32_t const block : blocks) {
    for (std::size_t const samples : batches) {
      std::vector<Speeds> speeds;
      for (double const density : densities) {
        if (density * static_cast<double>(size.inputs) < block) continue;  // a line has less than one tile
        speeds.push_back({density, measure(report, executor, dense, size, block, density, samples, roof)});
      }
      print_crossover(size, block, samples, speeds);
    }
  }
}

std::vector<std::size_t> const all_batches = {1, 8, 32, 128, 512, 2048, 4096};
std::vector<double> const thin = {1 / 64.0, 1 / 32.0, 1 / 16.0, 1 / 8.0, 1 / 4.0};

void tiles(bench::Report& report) {
  measure_all<bfloat16>(report, {}, {64, 128}, all_batches, thin);
}
void dense_tiles(bench::Report& report) {
  measure_all<bfloat16>(report, {}, {64, 128}, {4096}, {1 / 2.0, 5 / 8.0});
}
void tiles_of_half(bench::Report& report) {
  measure_all<half>(report, {}, {64, 128}, {512, 4096}, {1 / 8.0, 1 / 4.0, 1 / 2.0, 5 / 8.0});
}
void entries(bench::Report& report) {
  weir::CudaExecutor const executor;
  MultiplyAddRoof const roof(executor);
  measure_all<float>(report, {}, {1}, all_batches, thin, &roof);
}
void other_sizes(bench::Report& report) {
  weir::CudaExecutor const executor;
  MultiplyAddRoof const roof(executor);
  for (Size const& size : {Size{1024, 1024}, Size{11008, 4096}}) {
    measure_all<bfloat16>(report, size, {64}, {128, 4096}, {1 / 8.0, 1 / 4.0});
    measure_all<float>(report, size, {1}, {1, 128, 4096}, {1 / 16.0, 1 / 8.0}, &roof);
  }
}

/// A batch of one is bound by reading the values: beside a copy of as many bytes.
void one_sample(bench::Report& report) {
  weir::CudaExecutor const executor;
  for (double const density : {1 / 16.0, 1 / 4.0}) {
    constexpr std::size_t large = 16384;
    weir::MaskOptions options{.outputs = large, .inputs = large, .density = density};
    options.family = "hadamard-group";
    weir::BIBDMask<weir::AnyDesign> const mask(options);
    weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const bound(executor, mask);
    std::size_t const count = mask.value_count();
    Rotating<float> const values(executor, count, 1), x(executor, large, 2), y(executor, large, 4);
    std::size_t const bytes = count * sizeof(float);
    bench::CopyRoof const copy(executor, bytes);
    auto const timings = bench::time_in_turns(
        executor.stream(),
        {copy.contender(), {"weir multiply_masked", [&](std::size_t turn) {
                              weir::TensorView<float const, weir::DeviceSpace> const weights(values.at(turn),
                                                                                             count);
                              weir::DeviceBatch<float const> const in =
                                  weir::batch_major<weir::DeviceSpace>(x.at(turn), 1, large);
                              bound.visit([&](auto const& layout) {
                                multiply_masked(executor, layout, weights, in,
                                                weir::batch_major<weir::DeviceSpace>(y.at(turn), 1, large));
                              });
                            }}});
    report.add({.measured = "batch 1, 16384 x 16384, d = 1/" + std::to_string(static_cast<int>(1 / density)),
                .what = "weir multiply_masked",
                .timing = timings[1],
                .bytes = static_cast<double>(bytes),
                .roof = "copy",
                .roof_value = timings[0].median,
                .ratio = timings[0].median / timings[1].median,
                .goal = bench::Goal::ratio_at_least(0.8)});
  }
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments,
                    {{"batch of one", one_sample},
                     {"tiles", tiles},
                     {"single entries", entries},
                     {"tiles of high densities", dense_tiles},
                     {"tiles of float16", tiles_of_half},
                     {"other sizes", other_sizes}});
}
