#pragma once

// Products with a mask on a device, against their definitions in double.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "host/masked_reference.hpp"
#include "support/worst_error.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/tensor/buffer.hpp"

namespace masked {

using weir::BatchOrder;
using weir_test::Batch;

/// A batch in device memory, NaN between its lines, beginning at any element.
template <class Element>
class DeviceCopy {
 public:
  DeviceCopy(weir::CudaExecutor const& executor, Batch<Element> const& batch, std::size_t offset = 0)
      : executor_(executor),
        offset_(offset),
        content_(batch),
        buffer_(executor, batch.elements.size() + offset) {
    weir::from_host(executor_, std::span<Element const>(batch.elements),
                    buffer_.view().part(offset, batch.elements.size()));
  }
  weir::DeviceBatch<Element> view() const {
    return {buffer_.data() + offset_, content_.samples, content_.features, content_.stride, content_.order};
  }
  weir::DeviceBatch<Element const> constant() const { return view(); }
  Batch<Element> content() const {
    Batch<Element> result = content_;
    result.elements = weir::to_host(executor_, buffer_.view().part(offset_, content_.elements.size()));
    return result;
  }

 private:
  weir::CudaExecutor executor_;
  std::size_t offset_;
  Batch<Element> content_;
  weir::Buffer<Element, weir::CudaExecutor> buffer_;
};

template <class Element>
weir::Buffer<Element, weir::CudaExecutor> on_device(weir::CudaExecutor const& executor,
                                                    std::vector<Element> const& content) {
  weir::Buffer<Element, weir::CudaExecutor> buffer(executor, content.size());
  weir::from_host(executor, std::span<Element const>(content), buffer.view());
  return buffer;
}

struct Case {
  std::size_t samples = 1;
  weir_test::BatchOrders orders{};
  std::size_t room = 0;    // between lines
  std::size_t offset = 0;  // of the first element
  std::uint64_t seed = 1;
  weir::ConvolutionShape const* shape = nullptr;
};

/// What the three products gave.
template <class Element>
struct Products {
  Batch<Element> y, dx;
  std::vector<weir::AccumulatorOf<Element>> gradient;
};

template <class Element>
Products<Element> run(weir::CudaExecutor const& executor, weir::AnyDesign const& design, Case const& c,
                      std::vector<Element> const& values, Batch<Element> const& x, Batch<Element> const& dy) {
  using Real = weir::AccumulatorOf<Element>;
  Batch<Element> y(dy.samples, design.outputs(), c.orders.outputs, c.room),
      dx(x.samples, design.inputs(), c.orders.inputs, c.room);
  DeviceCopy<Element> const x_there(executor, x, c.offset), dy_there(executor, dy, c.offset);
  DeviceCopy<Element> const y_there(executor, y, c.offset), dx_there(executor, dx, c.offset);
  auto const values_there = on_device(executor, values);
  auto const gradient = on_device(executor, std::vector<Real>(values.size(), Real{7}));
  weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const mask(executor,
                                                                  weir::BIBDMask<weir::AnyDesign>(design));
  weir::TensorView<Element const, weir::DeviceSpace> const constant_values = values_there.view();
  mask.visit([&](auto const& layout) {
    for (auto mode : {weir::GradientMode::overwrite, weir::GradientMode::accumulate}) {
      if (c.shape != nullptr) {
        convolve_masked(executor, layout, *c.shape, constant_values, x_there.constant(), y_there.view());
        convolve_masked_transposed(executor, layout, *c.shape, constant_values, dy_there.view(),
                                   dx_there.view());
        masked_convolution_gradient(executor, layout, *c.shape, dy_there.view(), x_there.constant(),
                                    gradient.view(), mode);
      } else {
        multiply_masked(executor, layout, constant_values, x_there.constant(), y_there.view());
        multiply_masked_transposed(executor, layout, constant_values, dy_there.view(), dx_there.view());
        masked_weight_gradient(executor, layout, dy_there.view(), x_there.constant(), gradient.view(), mode);
      }
    }
  });
  return {y_there.content(), dx_there.content(), weir::to_host(executor, gradient.view())};
}

/// The errors of the three products relative to the magnitude of their terms, the largest; negative if two
/// runs do not give the same bits.
template <class Element>
double error_of(weir::CudaExecutor const& executor, weir::AnyDesign const& design, Case const& c) {
  std::uint32_t const taps = c.shape == nullptr ? 1 : c.shape->taps();
  std::size_t const in = c.shape == nullptr ? c.samples : c.shape->input_pixels();
  std::size_t const out = c.shape == nullptr ? c.samples : c.shape->output_pixels();
  Batch<Element> x(in, design.inputs(), c.orders.inputs, c.room);
  Batch<Element> dy(out, design.outputs(), c.orders.outputs, c.room);
  weir_test::fill_batch(x, c.seed + 1);
  weir_test::fill_batch(dy, c.seed + 2);
  std::vector<Element> values;
  weir_test::Expected y(out * design.outputs()), dx(in * design.inputs()),
      gradient(taps * design.value_count());
  for (std::uint32_t tap = 0; tap < taps; ++tap) {
    auto const of_tap = weir_test::random_values<Element>(design, c.seed + 100 * tap);
    values.insert(values.end(), of_tap.begin(), of_tap.end());
    for (std::size_t sample = 0; sample < out; ++sample) {
      std::size_t const from = c.shape == nullptr ? sample : c.shape->input_of(sample, tap);
      if (from == weir::ConvolutionShape::outside) continue;
      weir_test::for_each_entry(design, [&](std::size_t row, std::size_t column, std::size_t at) {
        double const value = weir::detail::convert<double>(of_tap[at]);
        y.add(sample * design.outputs() + row, value * x(from, column));
        dx.add(from * design.inputs() + column, value * dy(sample, row));
        for (int twice = 0; twice < 2; ++twice)
          gradient.add(tap * design.value_count() + at, dy(sample, row) * x(from, column));
      });
    }
  }
  if constexpr (std::is_same_v<Element, weir::half>) {  // whose smallest numbers are equally far apart
    for (weir_test::Expected* const expected : {&y, &dx}) {
      for (double& scale : expected->scale) scale = std::fmax(scale, 0x1p-14);
    }
  }
  auto const once = run(executor, design, c, values, x, dy);
  auto const again = run(executor, design, c, values, x, dy);
  auto const bits = [](auto const& all) {
    auto const* const bytes = reinterpret_cast<unsigned char const*>(all.data());
    return std::vector<unsigned char>(bytes, bytes + all.size() * sizeof(all[0]));
  };
  bool const is_equal = bits(once.y.elements) == bits(again.y.elements) &&
                        bits(once.dx.elements) == bits(again.dx.elements) &&
                        bits(once.gradient) == bits(again.gradient);
  if (!is_equal) return -1;
  double largest = weir_test::largest_error(y, once.y);
  for (double const error :
       {weir_test::largest_error(dx, once.dx), weir_test::largest_error(gradient, once.gradient)}) {
    largest = weir_test::worst_error(largest, error);
  }
  return largest;
}

}  // namespace masked
