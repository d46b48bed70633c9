#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/exec/product_arguments.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/initialise.hpp"
#include "weir/mask/linear.hpp"
#include "weir/mask/prime_power.hpp"
#include "weir/stage/branch_runner.hpp"

namespace weir::inline v1 {

struct PartitionedHeadOptions {
  std::size_t features = 0;  // of all groups
  std::size_t classes = 0;
  std::size_t groups = 1;
  MaskOptions head = {.density = 1.0};           // of each group; the sides are set here, the seed counts up
  MaskOptions joint = {.density = 1.0};          // of the layer that joins them
  Activation activation = Activation::identity;  // of the heads
};

/// The last layers of a network whose channels are partitioned: each group has a head of its own, from its
/// features / groups features to the classes, and a joint layer makes one answer of all that they say.
///
/// Parameters are the caller's: the values of one head after another, then those of the joint layer; and a
/// bias per output, in the same order. Errors: `ContractViolation` for sizes of 0 and groups that do not
/// divide the features; those of `make_design`.
class PartitionedHead {
 public:
  explicit PartitionedHead(PartitionedHeadOptions options) : options_(std::move(options)) {
    auto const& o = options_;
    for (auto const& [name, size] :
         {std::pair{"features", o.features}, {"classes", o.classes}, {"groups", o.groups}}) {
      if (size == 0)
        throw ContractViolation(std::string("PartitionedHead: ") + name + " 0, at least 1 would be right");
    }
    auto const divides = [&o](std::size_t groups) { return o.features % groups == 0; };
    if (!divides(o.groups)) {
      throw ContractViolation(
          "PartitionedHead: groups " + std::to_string(o.groups) + ", a divisor of features " +
          std::to_string(o.features) + " would be right (nearest: " +
          detail::nearest(detail::smaller(o.groups, o.features + 1), divides, o.features) + ")");
    }
    MaskOptions mask = o.head;
    mask.inputs = o.features / o.groups;
    mask.outputs = o.classes;
    for (std::size_t group = 0; group < o.groups; ++group) {
      mask.seed = o.head.seed + group;
      add(mask, o.activation);
    }
    mask = o.joint;
    mask.inputs = o.groups * o.classes;
    mask.outputs = o.classes;
    add(mask, Activation::identity);
  }

  PartitionedHeadOptions const& options() const { return options_; }
  std::size_t groups() const { return options_.groups; }
  /// Head `index`, or, of the number of groups, the joint layer.
  BIBDLinear<AnyDesign> const& layer(std::size_t index) const { return layers_[index]; }
  /// Where the values of a layer begin; of groups + 1, where they end.
  std::size_t first_value(std::size_t index) const { return begin_[index]; }
  std::size_t value_count() const { return begin_.back(); }
  std::size_t bias_count() const { return layers_.size() * options_.classes; }
  /// What the heads give together.
  std::size_t hidden() const { return options_.groups * options_.classes; }

  /// Draws the values; see `weir::initialise`. The joint layer has no activation behind it, whatever `gain`
  /// says.
  template <class Real>
  void initialise(std::span<Real> values, InitialiseOptions options = {}) const {
    detail::Arguments("PartitionedHead::initialise")
        .same_size("values", values.size(), "the head", value_count());
    std::uint64_t const seed = options.seed;
    for (std::size_t index = 0; index < layers_.size(); ++index) {
      options.seed = seed + index;
      if (index == options_.groups) options.gain = 1.0;
      layers_[index].initialise(values.subspan(begin_[index], begin_[index + 1] - begin_[index]), options);
    }
  }

  template <Executor E>
  class Bound;

  template <Executor E>
  Bound<E> on(E const& executor) const {
    return Bound<E>(executor, *this);
  }

 private:
  void add(MaskOptions const& mask, Activation activation) {
    layers_.emplace_back(BIBDMask<AnyDesign>(mask), LinearOptions{.activation = activation});
    begin_.push_back(begin_.back() + layers_.back().value_count());
  }

  PartitionedHeadOptions options_;
  std::vector<BIBDLinear<AnyDesign>> layers_;
  std::vector<std::size_t> begin_{0};
};

/// The layers on an executor. `Runner` is a `BranchRunner`, such as a `StreamWorkerPool`: heads run on its
/// streams, and the joint layer on its executor's. The results are the same bits for any number of streams.
template <Executor E>
class PartitionedHead::Bound {
 public:
  template <class Element>
  using Batch = BatchView<Element, typename E::memory_space>;

  Bound(E const& executor, PartitionedHead const& head) : head_(head) {
    for (auto const& layer : head.layers_) layers_.push_back(layer.on(executor));
  }

  /// Shapes: x samples x features, hidden samples x `hidden()`, which `backward` needs, y samples x classes.
  template <class Element, BranchRunner<E> Runner>
  void forward(Runner& runner, ViewOn<Element const, E> values, ViewOn<AccumulatorOf<Element> const, E> bias,
               Batch<Element const> x, Batch<Element> hidden, Batch<Element> y) const {
    detail::Arguments const arguments("PartitionedHead::forward");
    arguments.same_size("values", values.size(), "the head", head_.value_count());
    arguments.same_size("bias", bias.size(), "the head", head_.bias_count());
    check_batches(arguments, "x", x, "hidden", hidden, "y", y);
    arguments.apart("hidden", detail::memory_of(hidden), "x", detail::memory_of(x));
    arguments.apart("hidden", detail::memory_of(hidden), "values", values);
    arguments.apart("y", detail::memory_of(y), "hidden", detail::memory_of(hidden));
    arguments.apart("y", detail::memory_of(y), "values", values);
    runner.run_branches(head_.groups(), [&](E const& stream, std::size_t group) {
      layers_[group].template forward<Element>(stream, of_layer(values, group), of_classes(bias, group),
                                               slice(x, group), answers(hidden, group));
    });
    layers_[joint()].template forward<Element>(runner.executor(), of_layer(values, joint()),
                                               of_classes(bias, joint()), hidden, y);
  }

  /// Shapes: those of `forward`; `hidden` and `y` are what it gave. `dy` and `dhidden` are overwritten, the
  /// latter by the gradient of `hidden`; `dx.data` may be null if nobody needs it.
  template <class Element, BranchRunner<E> Runner>
  void backward(Runner& runner, ViewOn<Element const, E> values, Batch<Element const> x,
                Batch<Element const> hidden, Batch<Element const> y, Batch<Element> dy,
                Batch<Element> dhidden, Batch<Element> dx, ViewOn<AccumulatorOf<Element>, E> gradient,
                ViewOn<AccumulatorOf<Element>, E> bias_gradient, GradientMode mode) const {
    detail::Arguments const arguments("PartitionedHead::backward");
    arguments.same_size("values", values.size(), "the head", head_.value_count());
    arguments.same_size("gradient", gradient.size(), "the head", head_.value_count());
    arguments.same_size("bias_gradient", bias_gradient.size(), "the head", head_.bias_count());
    check_batches(arguments, "x", x, "hidden", hidden, "y", y);
    if (dx.data == nullptr) {
      check_batches(arguments, "x", x, "dhidden", dhidden, "dy", dy);
    } else {
      check_batches(arguments, "dx", dx, "dhidden", dhidden, "dy", dy);
      arguments.apart("dx", detail::memory_of(dx), "dhidden", detail::memory_of(dhidden));
      arguments.apart("dx", detail::memory_of(dx), "values", values);
    }
    arguments.apart("dhidden", detail::memory_of(dhidden), "dy", detail::memory_of(dy));
    arguments.apart("dhidden", detail::memory_of(dhidden), "values", values);
    arguments.apart("gradient", gradient, "x", detail::memory_of(x));
    arguments.apart("gradient", gradient, "hidden", detail::memory_of(hidden));
    arguments.apart("gradient", gradient, "dhidden", detail::memory_of(dhidden));
    arguments.apart("gradient", gradient, "dy", detail::memory_of(dy));
    layers_[joint()].template backward<Element>(runner.executor(), of_layer(values, joint()), hidden, y, dy,
                                                dhidden, of_layer(gradient, joint()),
                                                of_classes(bias_gradient, joint()), mode);
    runner.run_branches(head_.groups(), [&](E const& stream, std::size_t group) {
      layers_[group].template backward<Element>(
          stream, of_layer(values, group), slice(x, group), answers(hidden, group), answers(dhidden, group),
          dx.data == nullptr ? dx : slice(dx, group), of_layer(gradient, group),
          of_classes(bias_gradient, group), mode);
    });
  }

 private:
  std::size_t joint() const { return head_.groups(); }

  /// Of a call, or of the gradients of one.
  template <class Features, class Hidden, class Answers>
  void check_batches(detail::Arguments const& arguments, char const* x_name, Features const& x,
                     char const* hidden_name, Hidden const& hidden, char const* y_name,
                     Answers const& y) const {
    detail::check_batch(arguments, x_name, x, "features", head_.options_.features);
    detail::check_batch(arguments, hidden_name, hidden, "answers of the heads", head_.hidden());
    detail::check_batch(arguments, y_name, y, "classes", head_.options_.classes);
    auto const same_samples = [&](char const* name, std::size_t samples) {
      if (samples == x.samples) return;  // without the memory that names take
      arguments.same_size((std::string("a feature of ") + name).c_str(), samples,
                          (std::string("one of ") + x_name).c_str(), x.samples);
    };
    same_samples(hidden_name, hidden.samples);
    same_samples(y_name, y.samples);
  }

  template <class View>
  View of_layer(View all, std::size_t index) const {
    return all.part(head_.begin_[index], head_.begin_[index + 1] - head_.begin_[index]);
  }
  template <class View>
  View of_classes(View all, std::size_t index) const {
    return all.part(index * head_.options_.classes, head_.options_.classes);
  }
  template <class View>
  View slice(View all, std::size_t group) const {
    std::size_t const width = head_.options_.features / head_.groups();
    return all.part_of_features(group * width, width);
  }
  template <class View>
  View answers(View all, std::size_t group) const {
    return all.part_of_features(group * head_.options_.classes, head_.options_.classes);
  }

  PartitionedHead head_;
  std::vector<BIBDLinear<AnyDesign>::Bound<E>> layers_;
};

}  // namespace weir::inline v1
