// The three products of masked convolutions, beside what a dense convolution costs at least where it is one
// product of matrices: cuBLAS on inputs that have been unfolded (im2col) before the clock starts, and on the
// way back without folding. The layers are those of residual networks; peers.py measures PyTorch's beside
// them.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda/dense_products.hpp"
#include "cuda/product.hpp"
#include "cuda/rotating.hpp"
#include "support/gpu_timing.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"

namespace {

using bench::Product;
using bench::Rotating;
using weir::bfloat16;

constexpr std::uint32_t images = 64;

struct Layer {
  std::size_t inputs, outputs;
  std::uint32_t side, kernel, stride;

  weir::ConvolutionShape shape() const { return {images, side, side, kernel, kernel, stride, kernel / 2, 1}; }
};

std::string case_of(Layer const& layer, Product product, char const* type, std::uint32_t block,
                    double density) {
  std::string const kernel = std::to_string(layer.kernel), side = std::to_string(layer.side);
  return "convolution " + kernel + "x" + kernel + (layer.stride == 1 ? "" : ", stride 2") + ", " +
         std::to_string(layer.inputs) + " to " + std::to_string(layer.outputs) + " channels, " +
         std::to_string(images) + " images of " + side + "x" + side + ", " + bench::name_of(product) + ", " +
         type + ", tiles of " + std::to_string(block) + ", d = " + bench::density_text(density);
}

template <class Element>
void measure(bench::Report& report, Layer const& layer, std::uint32_t block, double density) {
  weir::CudaExecutor const executor;
  auto const shape = layer.shape();
  weir::MaskOptions options{
      .outputs = layer.outputs, .inputs = layer.inputs, .density = density, .block = block};
  options.family = "hadamard-group";
  weir::BIBDMask<weir::AnyDesign> const mask(options);
  weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const bound(executor, mask);
  std::size_t const count = shape.taps() * mask.value_count(), unfolded = shape.taps() * layer.inputs;
  Rotating<Element> const values(executor, count, 1), x(executor, shape.input_pixels() * layer.inputs, 2),
      y(executor, shape.output_pixels() * layer.outputs, 4),
      columns(executor, shape.output_pixels() * unfolded, 5);
  Rotating<float> const gradient(executor, count, 7);
  bench::DenseProducts<Element> const dense(executor, layer.outputs, unfolded);
  for (Product const product : bench::products) {
    auto const timings = bench::time_in_turns(
        executor.stream(),
        {{"weir",
          [&](std::size_t turn) {
            weir::TensorView<Element const, weir::DeviceSpace> const weights(values.at(turn), count);
            auto const in =
                weir::batch_major<weir::DeviceSpace>(x.at(turn), shape.input_pixels(), layer.inputs);
            auto const out =
                weir::batch_major<weir::DeviceSpace>(y.at(turn), shape.output_pixels(), layer.outputs);
            weir::DeviceBatch<Element const> const read = in;
            weir::TensorView<float, weir::DeviceSpace> const sums(gradient.at(turn), count);
            bound.visit([&](auto const& layout) {
              if (product == Product::forward)
                convolve_masked(executor, layout, shape, weights, read, out);
              else if (product == Product::input_gradient)
                convolve_masked_transposed(executor, layout, shape, weights, out, in);
              else
                masked_convolution_gradient(executor, layout, shape, out, read, sums,
                                            weir::GradientMode::overwrite);
            });
          }},
         {"cuBLAS, dense, unfolded before",
          [&](std::size_t turn) {
            dense.multiply(product, columns.at(turn), y.at(turn), shape.output_pixels(), turn);
          }}},
        11);
    std::string const measured = case_of(layer, product, bench::type_name<Element>, block, density);
    report.add({.measured = measured,
                .what = "weir",
                .timing = timings[0],
                .roof = "cuBLAS, dense, unfolded before",
                .roof_value = timings[1].median,
                .ratio = timings[1].median / timings[0].median});
    report.add({.measured = measured, .what = "cuBLAS, dense, unfolded before", .timing = timings[1]});
    // Time is about proportional to density.
    double const crossover = density * timings[1].median / timings[0].median;
    std::printf("%s: dense is faster from a density of about %.3f on\n", measured.c_str(),
                crossover < 1 ? crossover : 1.0);
  }
}

void tiles(bench::Report& report) {
  for (Layer const& layer : {Layer{256, 256, 14, 3, 1}, Layer{512, 512, 14, 3, 1}, Layer{256, 512, 28, 3, 2},
                             Layer{1024, 256, 14, 1, 1}, Layer{256, 1024, 14, 1, 1}}) {
    measure<bfloat16>(report, layer, 64, 1 / 4.0);
  }
  measure<bfloat16>(report, {512, 512, 14, 3, 1}, 64, 1 / 8.0);
  measure<bfloat16>(report, {512, 512, 14, 3, 1}, 128, 1 / 4.0);
  measure<bfloat16>(report, {128, 128, 28, 3, 1}, 32, 1 / 4.0);
}

void entries(bench::Report& report) {
  for (double const density : {1 / 4.0, 1 / 16.0}) {
    measure<float>(report, {64, 64, 56, 3, 1}, 1, density);
    measure<float>(report, {256, 256, 14, 3, 1}, 1, density);
  }
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(count, arguments, {{"tiles", tiles}, {"single entries", entries}});
}
