#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/exec/product_arguments.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/mask/initialise.hpp"
#include "weir/mask/prime_power.hpp"
#include "weir/stage/branch_runner.hpp"

namespace weir::inline v1 {

struct Conv2dOptions {
  std::size_t inputs = 0;  // channels, of all groups; with masks that are given, 0 leaves both to them
  std::size_t outputs = 0;
  std::uint32_t kernel_height = 3;
  std::uint32_t kernel_width = 3;
  std::uint32_t stride = 1;
  std::uint32_t padding = 0;
  std::uint32_t dilation = 1;
  std::uint32_t groups = 1;
  MaskOptions mask = {};  // family, density, block, seed ..; sides are those of a group. Not with given masks
  Activation activation = Activation::identity;
  bool has_bias = false;
};

/// A convolution whose mask is on pairs of channels: all taps of a live pair are live. Every group has a
/// design of its own, of inputs / groups and outputs / groups channels and with the seed of the mask plus the
/// group, so that no output channel is dead; or masks of any design, one per group, are given.
///
/// Channels of a pixel lie side by side. Parameters are the caller's: for one group after another, and for
/// one tap after another, the values of the mask; then a bias per output. Errors: `ContractViolation` for
/// sizes of 0 and groups that do not divide the channels, and masks of another number or shape than those;
/// the errors of `make_design`.
template <Design D = AnyDesign>
class BIBDConv2d {
 public:
  explicit BIBDConv2d(Conv2dOptions options) requires std::same_as<D, AnyDesign>
      : options_(std::move(options)) {
    check();
    MaskOptions mask = options_.mask;
    mask.inputs = options_.inputs / options_.groups;
    mask.outputs = options_.outputs / options_.groups;
    for (std::uint32_t group = 0; group < options_.groups; ++group) {
      mask.seed = options_.mask.seed + group;
      add(BIBDMask<AnyDesign>(mask));
    }
  }

  explicit BIBDConv2d(BIBDMask<D> mask, Conv2dOptions options = {})
      : BIBDConv2d(std::vector<BIBDMask<D>>(1, std::move(mask)), std::move(options)) {}

  /// Masks of the channels of a group each.
  explicit BIBDConv2d(std::vector<BIBDMask<D>> masks, Conv2dOptions options = {})
      : options_(std::move(options)) {
    if (masks.empty()) throw ContractViolation("BIBDConv2d: 0 masks, one per group would be right");
    if (options_.groups == 1) options_.groups = static_cast<std::uint32_t>(masks.size());
    if (masks.size() != options_.groups) {
      throw ContractViolation("BIBDConv2d: " + std::to_string(masks.size()) + " masks, " +
                              std::to_string(options_.groups) + ", one per group, would be right");
    }
    if (options_.inputs == 0) options_.inputs = masks[0].inputs() * masks.size();
    if (options_.outputs == 0) options_.outputs = masks[0].outputs() * masks.size();
    check();
    for (BIBDMask<D>& mask : masks) {
      check_shape(mask);
      add(std::move(mask));
    }
  }

  Conv2dOptions const& options() const { return options_; }
  BIBDMask<D> const& mask(std::size_t group) const { return masks_[group]; }
  std::uint32_t taps() const { return options_.kernel_height * options_.kernel_width; }
  std::size_t groups() const { return masks_.size(); }
  std::size_t value_count() const { return value_count_; }
  std::size_t bias_count() const { return options_.has_bias ? options_.outputs : 0; }
  /// Live weights.
  std::size_t nnz() const {
    std::size_t count = 0;
    for (auto const& mask : masks_) count += taps() * mask.nnz();
    return count;
  }
  /// Where the values of a group begin; of the number of groups, where they end.
  std::size_t first_value(std::size_t group) const { return begin_[group]; }

  ConvolutionShape shape(std::uint32_t images, std::uint32_t height, std::uint32_t width) const {
    return {images,
            height,
            width,
            options_.kernel_height,
            options_.kernel_width,
            options_.stride,
            options_.padding,
            options_.dilation};
  }

  /// Draws the values by the live fan-in, taps included; see `weir::initialise`.
  template <class Real>
  void initialise(std::span<Real> values, InitialiseOptions options = {}) const {
    detail::Arguments("BIBDConv2d::initialise").same_size("values", values.size(), "the layer", value_count_);
    std::uint64_t const seed = options.seed;
    for (std::size_t group = 0; group < masks_.size(); ++group) {
      options.seed = seed + group;
      weir::initialise(masks_[group], values.subspan(begin_[group], begin_[group + 1] - begin_[group]),
                       options, taps());
    }
  }

  template <Executor E>
  class Bound;

  template <Executor E>
  Bound<E> on(E const& executor) const {
    return Bound<E>(executor, *this);
  }

 private:
  void add(BIBDMask<D> mask) {
    if (begin_.empty()) begin_.push_back(0);
    masks_.push_back(std::move(mask));
    value_count_ += taps() * masks_.back().value_count();
    begin_.push_back(value_count_);
  }

  void check_shape(BIBDMask<D> const& mask) const {
    std::size_t const inputs = options_.inputs / options_.groups;
    std::size_t const outputs = options_.outputs / options_.groups;
    if (mask.inputs() == inputs && mask.outputs() == outputs) return;
    throw ContractViolation("BIBDConv2d: a mask of " + std::to_string(mask.outputs()) + " x " +
                            std::to_string(mask.inputs()) + " channels, " + std::to_string(outputs) + " x " +
                            std::to_string(inputs) + ", those of a group, would be right");
  }

  void check() const {
    auto const& o = options_;
    for (auto const& [name, size] : {std::pair{"inputs", o.inputs},
                                     {"outputs", o.outputs},
                                     {"groups", o.groups},
                                     {"kernel_height", o.kernel_height},
                                     {"kernel_width", o.kernel_width},
                                     {"stride", o.stride},
                                     {"dilation", o.dilation}}) {
      if (size == 0)
        throw ContractViolation(std::string("BIBDConv2d: ") + name + " 0, at least 1 would be right");
    }
    auto const divides = [&o](std::size_t groups) {
      return o.inputs % groups == 0 && o.outputs % groups == 0;
    };
    if (!divides(o.groups)) {
      std::size_t const side = detail::smaller(o.inputs, o.outputs);
      throw ContractViolation("BIBDConv2d: groups " + std::to_string(o.groups) + ", a divisor of inputs " +
                              std::to_string(o.inputs) + " and outputs " + std::to_string(o.outputs) +
                              " would be right (nearest: " +
                              detail::nearest(detail::smaller(o.groups, side + 1), divides, side) + ")");
    }
    if (std::uint64_t{o.kernel_height} * o.kernel_width > most_taps) {
      throw ContractViolation("BIBDConv2d: a kernel of " + std::to_string(o.kernel_height) + " x " +
                              std::to_string(o.kernel_width) + ", at most " + std::to_string(most_taps) +
                              " taps would be right");
    }
  }

  static constexpr std::uint64_t most_taps = 0xffff'ffff;

  Conv2dOptions options_;
  std::vector<BIBDMask<D>> masks_;
  std::vector<std::size_t> begin_;
  std::size_t value_count_ = 0;
};

BIBDConv2d(Conv2dOptions)->BIBDConv2d<AnyDesign>;

/// The layer on an executor. Groups are independent branches: `forward_group` and `backward_group` of
/// different groups may run on different streams. Given a `BranchRunner`, such as a `StreamWorkerPool`, in
/// place of a stream, `forward` and `backward` run them on its streams: the same bits for any number of them.
///
/// Errors: `ContractViolation`, before anything is changed, for a shape of another kernel, stride, padding or
/// dilation than the layer's, and for views of other sizes.
template <Design D>
template <Executor E>
class BIBDConv2d<D>::Bound {
 public:
  template <class Element>
  using Batch = BatchView<Element, typename E::memory_space>;

  Bound(E const& executor, BIBDConv2d const& layer) : layer_(layer) {
    for (auto const& mask : layer.masks_) masks_.emplace_back(executor, mask);
  }

  BIBDConv2d const& layer() const { return layer_; }

  /// Shapes: x input pixels x inputs, y output pixels x outputs.
  template <class Element>
  void forward(E const& stream, ConvolutionShape const& shape, ViewOn<Element const, E> values,
               ViewOn<AccumulatorOf<Element> const, E> bias, Batch<Element const> x, Batch<Element> y) const {
    check_forward("BIBDConv2d::forward", shape, values, bias, x, y);
    for (std::size_t group = 0; group < masks_.size(); ++group) {
      run_forward(stream, group, shape, values, bias, x, y);
    }
  }

  template <class Element, BranchRunner<E> Runner>
  void forward(Runner& runner, ConvolutionShape const& shape, ViewOn<Element const, E> values,
               ViewOn<AccumulatorOf<Element> const, E> bias, Batch<Element const> x, Batch<Element> y) const {
    check_forward("BIBDConv2d::forward", shape, values, bias, x, y);
    runner.run_branches(masks_.size(), [&](E const& stream, std::size_t group) {
      run_forward(stream, group, shape, values, bias, x, y);
    });
  }

  /// One group, whose channels are taken from the whole x and y.
  template <class Element>
  void forward_group(E const& stream, std::size_t group, ConvolutionShape const& shape,
                     ViewOn<Element const, E> values, ViewOn<AccumulatorOf<Element> const, E> bias,
                     Batch<Element const> x, Batch<Element> y) const {
    check_forward("BIBDConv2d::forward_group", shape, values, bias, x, y);
    run_forward(stream, group, shape, values, bias, x, y);
  }

  /// As `BIBDLinear::Bound::backward`.
  template <class Element>
  void backward(E const& stream, ConvolutionShape const& shape, ViewOn<Element const, E> values,
                Batch<Element const> x, Batch<Element const> y, Batch<Element> dy, Batch<Element> dx,
                ViewOn<AccumulatorOf<Element>, E> gradient, ViewOn<AccumulatorOf<Element>, E> bias_gradient,
                GradientMode mode) const {
    check_backward("BIBDConv2d::backward", shape, values, x, y, dy, dx, gradient, bias_gradient);
    for (std::size_t group = 0; group < masks_.size(); ++group) {
      run_backward(stream, group, shape, values, x, y, dy, dx, gradient, bias_gradient, mode);
    }
  }

  template <class Element, BranchRunner<E> Runner>
  void backward(Runner& runner, ConvolutionShape const& shape, ViewOn<Element const, E> values,
                Batch<Element const> x, Batch<Element const> y, Batch<Element> dy, Batch<Element> dx,
                ViewOn<AccumulatorOf<Element>, E> gradient, ViewOn<AccumulatorOf<Element>, E> bias_gradient,
                GradientMode mode) const {
    check_backward("BIBDConv2d::backward", shape, values, x, y, dy, dx, gradient, bias_gradient);
    runner.run_branches(masks_.size(), [&](E const& stream, std::size_t group) {
      run_backward(stream, group, shape, values, x, y, dy, dx, gradient, bias_gradient, mode);
    });
  }

  template <class Element>
  void backward_group(E const& stream, std::size_t group, ConvolutionShape const& shape,
                      ViewOn<Element const, E> values, Batch<Element const> x, Batch<Element const> y,
                      Batch<Element> dy, Batch<Element> dx, ViewOn<AccumulatorOf<Element>, E> gradient,
                      ViewOn<AccumulatorOf<Element>, E> bias_gradient, GradientMode mode) const {
    check_backward("BIBDConv2d::backward_group", shape, values, x, y, dy, dx, gradient, bias_gradient);
    run_backward(stream, group, shape, values, x, y, dy, dx, gradient, bias_gradient, mode);
  }

 private:
  template <class Element>
  void run_forward(E const& stream, std::size_t group, ConvolutionShape const& shape,
                   ViewOn<Element const, E> values, ViewOn<AccumulatorOf<Element> const, E> bias,
                   Batch<Element const> x, Batch<Element> y) const {
    auto const* const first_bias = bias.empty() ? nullptr : bias.data() + group * outputs();
    masks_[group].visit([&](auto const& layout) {
      convolve_masked(
          stream, layout, shape, of_group(values, group), x.part_of_features(group * inputs(), inputs()),
          y.part_of_features(group * outputs(), outputs()), {first_bias, layer_.options_.activation});
    });
  }

  template <class Element>
  void run_backward(E const& stream, std::size_t group, ConvolutionShape const& shape,
                    ViewOn<Element const, E> values, Batch<Element const> x, Batch<Element const> y,
                    Batch<Element> dy, Batch<Element> dx, ViewOn<AccumulatorOf<Element>, E> gradient,
                    ViewOn<AccumulatorOf<Element>, E> bias_gradient, GradientMode mode) const {
    auto const dy_part = dy.part_of_features(group * outputs(), outputs());
    gate_gradient(stream, layer_.options_.activation, y.part_of_features(group * outputs(), outputs()),
                  dy_part);
    if (!bias_gradient.empty())
      sum_samples(stream, dy_part, bias_gradient.part(group * outputs(), outputs()), mode);
    masks_[group].visit([&](auto const& layout) {
      masked_convolution_gradient(stream, layout, shape, dy_part,
                                  x.part_of_features(group * inputs(), inputs()), of_group(gradient, group),
                                  mode);
      if (dx.data == nullptr) return;
      convolve_masked_transposed(stream, layout, shape, of_group(values, group), dy_part,
                                 dx.part_of_features(group * inputs(), inputs()));
    });
  }

  template <class Element>
  void check_forward(char const* verb, ConvolutionShape const& shape, ViewOn<Element const, E> values,
                     ViewOn<AccumulatorOf<Element> const, E> bias, Batch<Element const> x,
                     Batch<Element> y) const {
    detail::Arguments const arguments(verb);
    check_pass<Element>(arguments, shape, "values", values.size(), "bias", bias.size(), x, y);
    arguments.apart("y", detail::memory_of(y), "x", detail::memory_of(x));
    arguments.apart("y", detail::memory_of(y), "values", values);
  }

  template <class Element>
  void check_backward(char const* verb, ConvolutionShape const& shape, ViewOn<Element const, E> values,
                      Batch<Element const> x, Batch<Element const> y, Batch<Element> dy, Batch<Element> dx,
                      ViewOn<AccumulatorOf<Element>, E> gradient,
                      ViewOn<AccumulatorOf<Element>, E> bias_gradient) const {
    detail::Arguments const arguments(verb);
    check_pass<Element>(arguments, shape, "gradient", gradient.size(), "bias_gradient", bias_gradient.size(),
                        x, y);
    detail::check_pixels(arguments, "dy", dy, shape.output_pixels(), "outputs", layer_.options_.outputs);
    arguments.apart("gradient", gradient, "dy", detail::memory_of(dy));
    arguments.apart("gradient", gradient, "x", detail::memory_of(x));
    if (dx.data == nullptr) return;
    arguments.same_size("values", values.size(), "the layer", layer_.value_count());
    detail::check_pixels(arguments, "dx", dx, shape.input_pixels(), "inputs", layer_.options_.inputs);
    arguments.apart("dx", detail::memory_of(dx), "dy", detail::memory_of(dy));
    arguments.apart("dx", detail::memory_of(dx), "values", values);
  }

  /// What passes in both directions are given.
  template <class Element>
  void check_pass(detail::Arguments const& arguments, ConvolutionShape const& shape, char const* values_name,
                  std::size_t values, char const* bias_name, std::size_t bias, Batch<Element const> x,
                  Batch<Element const> y) const {
    detail::check_shape(arguments, shape);
    ConvolutionShape const right = layer_.shape(shape.images, shape.height, shape.width);
    if (shape != right) {
      arguments.refuse("a shape of kernel " + geometry(shape) + ", " + geometry(right) + " would be right");
    }
    arguments.same_size(values_name, values, "the layer", layer_.value_count());
    arguments.same_size(bias_name, bias, "the layer", layer_.bias_count());
    detail::check_pixels(arguments, "x", x, shape.input_pixels(), "inputs", layer_.options_.inputs);
    detail::check_pixels(arguments, "y", y, shape.output_pixels(), "outputs", layer_.options_.outputs);
  }

  static std::string geometry(ConvolutionShape const& of) {
    return std::to_string(of.kernel_height) + " x " + std::to_string(of.kernel_width) + ", stride " +
           std::to_string(of.stride) + ", padding " + std::to_string(of.padding) + ", dilation " +
           std::to_string(of.dilation);
  }

  std::size_t inputs() const { return layer_.options_.inputs / layer_.options_.groups; }
  std::size_t outputs() const { return layer_.options_.outputs / layer_.options_.groups; }

  template <class View>
  View of_group(View all, std::size_t group) const {
    return all.part(layer_.begin_[group], layer_.begin_[group + 1] - layer_.begin_[group]);
  }

  BIBDConv2d layer_;
  std::vector<BoundMask<E, D>> masks_;
};

}  // namespace weir::inline v1
