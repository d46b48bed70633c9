// The three products of masked convolutions on a host, by turns with dense ones as libraries make them: the
// inputs of all taps of a pixel are unfolded into a row of a matrix (im2col), which Eigen, and if
// libopenblas.so.0 is found OpenBLAS, multiply; the faster counts. The unfolding is part of the time, and so
// is, of the input gradient, the way back. Layers are those of a ResNet for images of 32 x 32. One thread.
// Each row prints both times, the speed-up as a fraction of 1/d, and as `crossover` the density at which
// dense would be as fast, if time goes with density.
#include <Eigen/Dense>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "mask/by_turns.hpp"
#include "support/openblas.hpp"
#include "weir/host/masked_convolution.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Dense random_matrix(std::size_t rows, std::size_t columns) {
  return Dense::Random(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
}

struct Layer {
  std::size_t inputs, outputs;
  std::uint32_t side, kernel, stride;

  weir::ConvolutionShape shape(std::uint32_t images) const {
    return {images, side, side, kernel, kernel, stride, kernel / 2, 1};
  }
};

/// Calls f(input pixel) for all taps of one output pixel after another; `outside` where there is none.
template <class Function>
void for_each_tap(weir::ConvolutionShape const& s, Function const& f) {
  for (std::size_t image = 0; image < s.images; ++image) {
    for (std::size_t row = 0; row < s.output_height(); ++row) {
      for (std::size_t column = 0; column < s.output_width(); ++column) {
        for (std::size_t v = 0; v < s.kernel_height; ++v) {
          std::size_t const y = row * s.stride + v - s.padding;  // below 0: beyond the height
          for (std::size_t u = 0; u < s.kernel_width; ++u) {
            std::size_t const x = column * s.stride + u - s.padding;
            bool const is_there = y < s.height && x < s.width;
            f(is_there ? (image * s.height + y) * s.width + x : weir::ConvolutionShape::outside);
          }
        }
      }
    }
  }
}

/// A row per output pixel, of all channels of one tap after another.
void unfold(weir::ConvolutionShape const& shape, Dense const& x, Dense& columns) {
  auto const channels = static_cast<std::size_t>(x.cols());
  float* to = columns.data();
  for_each_tap(shape, [&](std::size_t from) {
    if (from == weir::ConvolutionShape::outside) {
      std::fill_n(to, channels, 0.0f);
    } else {
      std::memcpy(to, x.data() + from * channels, channels * sizeof(float));
    }
    to += channels;
  });
}

void fold(weir::ConvolutionShape const& shape, Dense const& columns, Dense& dx) {
  auto const channels = static_cast<std::size_t>(dx.cols());
  dx.setZero();
  float const* from = columns.data();
  for_each_tap(shape, [&](std::size_t at) {
    if (at != weir::ConvolutionShape::outside) {
      float* const to = dx.data() + at * channels;
      for (std::size_t channel = 0; channel < channels; ++channel) to[channel] += from[channel];
    }
    from += channels;
  });
}

/// A dense convolution by unfolding, with one of two libraries.
class Unfolded {
 public:
  Unfolded(Layer const& layer, weir::ConvolutionShape const& shape, OpenBlas::Sgemm sgemm)
      : shape_(shape),
        sgemm_(sgemm),
        weights_(random_matrix(layer.outputs, shape.taps() * layer.inputs)),
        columns_(random_matrix(shape.output_pixels(), shape.taps() * layer.inputs)) {}

  void forward(Dense const& x, Dense& y) {
    Dense const* const columns = unfolded(x);
    if (sgemm_ == nullptr) {
      y.noalias() = *columns * weights_.transpose();
      return;
    }
    multiply(OpenBlas::no_transpose, OpenBlas::transpose, *columns, weights_, y, columns->cols());
  }

  void input_gradient(Dense const& dy, Dense& dx) {
    Dense& columns = shape_.taps() == 1 && shape_.stride == 1 ? dx : columns_;
    if (sgemm_ == nullptr) {
      columns.noalias() = dy * weights_;
    } else {
      multiply(OpenBlas::no_transpose, OpenBlas::no_transpose, dy, weights_, columns, dy.cols());
    }
    if (&columns != &dx) fold(shape_, columns, dx);
  }

  void weight_gradient(Dense const& dy, Dense const& x) {
    Dense const* const columns = unfolded(x);
    if (sgemm_ == nullptr) {
      weights_.noalias() = dy.transpose() * *columns;
      return;
    }
    multiply(OpenBlas::transpose, OpenBlas::no_transpose, dy, *columns, weights_, dy.rows());
  }

 private:
  /// Of one tap at each pixel there is nothing to unfold.
  Dense const* unfolded(Dense const& x) {
    if (shape_.taps() == 1 && shape_.stride == 1) return &x;
    unfold(shape_, x, columns_);
    return &columns_;
  }

  void multiply(int left, int right, Dense const& a, Dense const& b, Dense& c, Eigen::Index depth) const {
    sgemm_(OpenBlas::row_major, left, right, static_cast<int>(c.rows()), static_cast<int>(c.cols()),
           static_cast<int>(depth), 1, a.data(), static_cast<int>(a.cols()), b.data(),
           static_cast<int>(b.cols()), 0, c.data(), static_cast<int>(c.cols()));
  }

  weir::ConvolutionShape shape_;
  OpenBlas::Sgemm sgemm_;
  Dense weights_, columns_;
};

template <class Design>
void compare(std::string const& kind, Layer const& layer, Design const& design, OpenBlas::Sgemm sgemm) {
  weir::HostExecutor const exec;
  auto const shape = layer.shape(16);
  auto const layout = design.layout();
  std::vector<float> values(shape.taps() * design.value_count(), 0.5f), gradient(values.size());
  Dense const x = random_matrix(shape.input_pixels(), layer.inputs),
              dy = random_matrix(shape.output_pixels(), layer.outputs);
  Dense y = dy, dx = x;
  Unfolded by_eigen(layer, shape, nullptr), by_openblas(layer, shape, sgemm);
  auto const batch = [](auto& matrix) {
    return weir::batch_major(matrix.data(), static_cast<std::size_t>(matrix.rows()),
                             static_cast<std::size_t>(matrix.cols()));
  };
  double const density = static_cast<double>(design.nnz()) / static_cast<double>(layer.inputs) /
                         static_cast<double>(layer.outputs);
  auto const print = [&](char const* product, std::vector<double> const& times) {
    double const dense = sgemm ? std::min(times[1], times[2]) : times[1];
    double const fraction = dense / times[0] * density;
    std::printf(
        "%zu -> %zu, %ux%u, %ux%u, %s, %-16s d=1/%-3.0f %9.3f ms  dense %9.3f ms  %5.2f/d  crossover %.2f\n",
        layer.inputs, layer.outputs, layer.kernel, layer.kernel, layer.side, layer.side, kind.c_str(),
        product, 1 / density, 1e3 * times[0], 1e3 * dense, fraction, std::min(1.0, fraction));
    std::fflush(stdout);
  };
  print("forward", bench::by_turns({[&] {
                                      convolve_masked(exec, layout, shape, weir::view(values), batch(x),
                                                      batch(y));
                                      exec.synchronize();
                                    },
                                    [&] { by_eigen.forward(x, y); }, [&] { by_openblas.forward(x, y); }}));
  print("input gradient",
        bench::by_turns(
            {[&] {
               convolve_masked_transposed(exec, layout, shape, weir::view(values), batch(dy), batch(dx));
               exec.synchronize();
             },
             [&] { by_eigen.input_gradient(dy, dx); }, [&] { by_openblas.input_gradient(dy, dx); }}));
  print("weight gradient", bench::by_turns({[&] {
                                              masked_convolution_gradient(exec, layout, shape, batch(dy),
                                                                          batch(x), weir::view(gradient),
                                                                          weir::GradientMode::overwrite);
                                              exec.synchronize();
                                            },
                                            [&] { by_eigen.weight_gradient(dy, x); },
                                            [&] { by_openblas.weight_gradient(dy, x); }}));
}

}  // namespace

int main() {
  OpenBlas const openblas = OpenBlas::find();
  if (openblas.sgemm) std::printf("OpenBLAS kernels: %s\n", openblas.kernels);
  Layer const layers[] = {{64, 64, 32, 3, 1},  {128, 256, 16, 3, 2}, {256, 256, 8, 3, 1},
                          {512, 512, 4, 3, 1}, {256, 64, 32, 1, 1},  {64, 256, 32, 1, 1}};
  for (Layer const& layer : layers) {
    for (std::uint32_t n : {4u, 8u, 16u}) {
      weir::GroupDesign const design{{.outputs = layer.outputs, .inputs = layer.inputs, .group = n}};
      compare("elements", layer, design, openblas.sgemm);
    }
    std::uint32_t const block = 16;
    weir::GroupDesign const grid{
        {.outputs = layer.outputs / block, .inputs = layer.inputs / block, .group = 4}};
    compare("tiles of 16", layer, weir::TiledDesign(grid, layer.outputs, layer.inputs, block),
            openblas.sgemm);
  }
}
